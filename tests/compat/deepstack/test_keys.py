"""Keys in the field `api_key`, and what they permit."""

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import photo
from tests.compat.deepstack.conftest import Speaker
from tests.kit.api_keys import new_key


@pytest.mark.parametrize("key", [{}, {"api_key": ""}, {"api_key": "wrong"}])
@pytest.mark.parametrize("path", ["", "/recognize", "/register", "/list", "/delete", "/match"])
def test_other_keys_are_refused(keyed: TestClient, path: str, key: dict[str, str]) -> None:
    answer = keyed.post(f"/v1/vision/face{path}", data={**key, "userid": "Ada"})
    assert answer.status_code == 401
    assert answer.json()["success"] is False
    assert answer.json()["error"] == "Incorrect api key"


def test_key_may_be_in_a_header(keyed: TestClient, speaker: Speaker) -> None:
    """For clients that know no keys, a proxy can add it."""
    header = {"x-api-key": speaker.own["api_key"]}
    files = {"image": photo("astronaut")}
    answer = keyed.post(
        "/v1/vision/face/register", headers=header, data={"userid": "Ada"}, files=files
    )
    assert answer.status_code == 200
    assert speaker.listed() == ["Ada"]


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("", "identify"),
        ("/recognize", "identify"),
        ("/match", "identify"),
        ("/register", "enroll"),
        ("/list", "read"),
        ("/delete", "correct"),
    ],
)
def test_key_needs_the_right(
    keyed: TestClient, admin: TestClient, speaker: Speaker, path: str, right: str
) -> None:
    rights = [one for one in ("read", "identify", "enroll", "correct") if one != right]
    _, header = new_key(admin, rights=rights, collections=[speaker.collection])
    lacking = Speaker(keyed, {"api_key": header["x-api-key"]})
    answer = lacking.post(path, "astronaut", "hopper", userid="Ada")
    assert answer.status_code == 403
    assert answer.json()["success"] is False
    assert right in answer.json()["error"]
    assert speaker.listed() == []


def test_key_acts_in_its_collection_alone(speaker: Speaker) -> None:
    speaker.register("Ada", "astronaut")
    everywhere = Speaker(speaker.client, {"api_key": "key"})
    assert "Ada" not in everywhere.listed()  # a key of all collections acts in `default`
    assert everywhere.post("/delete", userid="Ada").json()["success"] is True
    assert speaker.listed() == ["Ada"]


def test_key_of_several_collections_has_to_be_for_one(
    keyed: TestClient, admin: TestClient, speaker: Speaker
) -> None:
    other = f"{speaker.collection}-other"
    assert admin.post("/v1/collections", json={"name": other}).status_code == 201
    _, header = new_key(admin, role="integrator", collections=[speaker.collection, other])
    answer = Speaker(keyed, {"api_key": header["x-api-key"]}).post("/list")
    assert answer.status_code in {400, 403}
    assert answer.json()["success"] is False
    assert "several collections" in answer.json()["error"]


def test_audit_log_names_the_key(admin: TestClient, speaker: Speaker) -> None:
    key_id, header = new_key(
        admin, role="integrator", collections=[speaker.collection], name="door"
    )
    Speaker(speaker.client, {"api_key": header["x-api-key"]}).register("Ada", "astronaut")
    wanted = {"collection": speaker.collection, "action": "identity.created"}
    (line,) = admin.get("/v1/audit", params=wanted).json()["lines"]
    assert line["principal"] == key_id


def test_refusal_names_the_remedy(keyed: TestClient) -> None:
    body = keyed.post("/v1/vision/face/list").json()
    assert body["message"].endswith(
        "send a valid key in the field api_key, or in the x-api-key header"
    )
