"""People addressed by their own key, whatever characters it has."""

from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import Enroll, image, images, problem

KEYS = [
    "eileen",
    "a/b",
    "/",
    "a//b/",
    "..",
    ".",
    "emp:1042",
    ":merge",
    "x/faces",
    "two words",
    "100%",
    "%41",
    "%2F",
    "+",
    "a?b#c",
    "é",
    "ключ",
    "山田/👩🏽‍🚀",
    "ext:ext:",
    "k" * 256,
]


def url_of(collection: str, key: str) -> str:
    return f"/v1/collections/{collection}/identities/ext:{quote(key, safe='')}"


@pytest.mark.parametrize("key", KEYS)
def test_a_person_is_shown_changed_and_deleted_by_key(
    client: TestClient, collection: str, key: str
) -> None:
    created = client.post(f"/v1/collections/{collection}/identities", json={"external_id": key})
    identity_id = created.json()["identity"]["id"]
    url = url_of(collection, key)
    assert client.get(url).json()["id"] == identity_id
    assert client.get(url.replace("ext:", "ext%3A")).json()["id"] == identity_id
    assert client.patch(url, json={"name": "N"}).json()["name"] == "N"
    assert client.get(f"{url}/faces").json() == {"faces": [], "next_cursor": None}
    problem(client.delete(f"{url}/faces/nothing"), 404, "face_not_found")
    assert client.delete(url).json()["identity_ids"] == [identity_id]
    assert repr(key) in problem(client.get(url), 404, "identity_not_found")["detail"]


def test_faces_are_added_to_and_compared_with_a_person_by_key(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    assert enroll("astronaut", external_id="e/1").status_code == 201
    url = url_of(collection, "e/1")
    key = {"idempotency-key": "one"}
    added = client.post(f"{url}/faces", files=images("astronaut_again"), headers=key)
    assert added.status_code == 201, added.text
    again = client.post(f"{url}/faces", files=images("astronaut_again"), headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    verified = client.post(
        "/v1/verify",
        data={"collection": collection, "identity_id": "ext:e/1"},
        files=image("astronaut"),
    )
    assert verified.json()["match"] is True
    found = client.post(
        f"/v1/collections/{collection}/identify",
        data={"filter": '{"identity_ids": ["ext:e/1"]}'},
        files=image("astronaut"),
    )
    assert found.json()["faces"][0]["status"] == "match"
    assert client.delete(f"{url}/faces/{added.json()['faces'][0]['id']}").status_code == 200


@pytest.mark.parametrize("path", ["ext:", "ext:%FF", "ext:%00", "a:b", "ext:" + "k" * 257])
def test_what_is_no_key_is_refused(client: TestClient, collection: str, path: str) -> None:
    url = f"/v1/collections/{collection}/identities/{path}"
    problem(client.get(url), 422, "invalid_request")


def test_people_are_searched_by_prefix(client: TestClient, collection: str) -> None:
    url = f"/v1/collections/{collection}/identities"
    for name in ("Müller", "MÜLLER-X", "Straße"):
        client.post(url, json={"name": name, "external_id": f"KEY_{name[:1]}{len(name)}"})

    def names(**query: str) -> list[str]:
        body = client.get(url, params={"limit": "1", **query}).json()
        found = [identity["name"] for identity in body["identities"]]
        while body["next_cursor"]:
            body = client.get(
                url, params={"limit": "1", "cursor": body["next_cursor"], **query}
            ).json()
            found += [identity["name"] for identity in body["identities"]]
        return found

    assert names(name_prefix="muller") == ["Müller", "MÜLLER-X"]
    assert names(q="strasse") == ["Straße"]
    assert names(q="key_m") == ["Müller", "MÜLLER-X"]
    assert names(external_id_prefix="key%") == []
    problem(client.get(url, params={"prefix": "m"}), 422, "invalid_request")
