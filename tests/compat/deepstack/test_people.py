"""People who are registered, listed and deleted."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from PIL import ImageFilter

from app.main import create_app
from app.settings import DeepStackSettings
from tests.api.conftest import image, photo
from tests.compat.deepstack.conftest import Speaker
from tests.kit.photos import encoded, opened


def _people(admin: TestClient, speaker: Speaker) -> list[dict[str, Any]]:
    listed = admin.get(f"/v1/collections/{speaker.collection}/identities").json()
    people: list[dict[str, Any]] = listed["identities"]
    return people


def test_registration_adds_to_those_before(admin: TestClient, speaker: Speaker) -> None:
    first = speaker.post("/register", "astronaut", userid="Ada").json()
    again = speaker.post("/register", "astronaut_again", userid="Ada").json()
    assert (first["success"], first["message"]) == (True, "face added")
    assert (again["success"], again["message"]) == (True, "face updated")
    (person,) = _people(admin, speaker)
    assert (person["name"], person["external_id"]) == ("Ada", "Ada")
    assert person["face_count"] == 2


def test_several_photos_are_registered_at_once(admin: TestClient, speaker: Speaker) -> None:
    speaker.register("Ada", "astronaut", "astronaut_again", "coffee")
    (person,) = _people(admin, speaker)
    assert person["face_count"] == 2


def test_same_photo_is_kept_once(admin: TestClient, speaker: Speaker) -> None:
    for _ in range(2):
        speaker.register("Ada", "astronaut")
    (person,) = _people(admin, speaker)
    assert person["face_count"] == 1


def test_largest_face_is_registered(speaker: Speaker) -> None:
    speaker.register("the largest", "group")
    assert speaker.userids("group") == ["the largest", "unknown"]


def test_photos_without_a_face_register_nobody(speaker: Speaker) -> None:
    answer = speaker.post("/register", "coffee", userid="Ada")
    assert answer.status_code == 400
    assert answer.json()["error"] == "no face detected"
    assert speaker.listed() == []


def test_face_that_is_not_good_enough_has_its_reason(speaker: Speaker) -> None:
    answer = _sent_blurred(speaker, 4)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("no face detected: ")
    assert speaker.listed() == []


@pytest.mark.parametrize("fields", [{}, {"userid": ""}, {"userid": " "}])
@pytest.mark.parametrize("path", ["/register", "/delete"])
def test_userid_is_needed(speaker: Speaker, path: str, fields: dict[str, str]) -> None:
    answer = speaker.post(path, "astronaut", **fields)
    assert answer.status_code == 400
    assert answer.json() == {"success": False, "error": "userid not specified", "duration": 0}


@pytest.mark.parametrize("userid", ["unknown", "Unknown", "x" * 257, "a\0b"])
def test_other_userids_are_refused(speaker: Speaker, userid: str) -> None:
    answer = speaker.post("/register", "astronaut", userid=userid)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("userid must ")
    assert speaker.listed() == []


def test_list_may_be_asked_for_by_get(keyed: TestClient, speaker: Speaker) -> None:
    speaker.register("Ada", "astronaut")
    answer = keyed.get("/v1/vision/face/list", headers={"x-api-key": speaker.own["api_key"]})
    assert answer.status_code == 200
    assert answer.json()["faces"] == ["Ada"]


def test_people_of_the_own_api_go_by_their_key_and_else_by_their_name(
    admin: TestClient, speaker: Speaker
) -> None:
    path = f"/v1/collections/{speaker.collection}/identities"
    by_key = {"name": "Eileen Collins", "external_id": "emp-1"}
    assert admin.post(path, data=by_key, files=image("astronaut", "images")).status_code == 201
    by_name = {"name": "Grace"}
    assert admin.post(path, data=by_name, files=image("hopper", "images")).status_code == 201
    assert speaker.listed() == ["emp-1", "Grace"]
    assert set(speaker.userids("group")) == {"emp-1", "Grace"}
    assert speaker.post("/register", "hopper_again", userid="Grace").json()["message"] == (
        "face updated"
    )
    for userid in ("emp-1", "Grace"):
        assert speaker.post("/delete", userid=userid).json()["success"] is True
    assert speaker.listed() == []


def test_anonymous_people_are_unknown(admin: TestClient, speaker: Speaker) -> None:
    path = f"/v1/collections/{speaker.collection}/identities"
    anonymous = {"anonymous": "true"}
    made = admin.post(path, data=anonymous, files=image("astronaut", "images"))
    assert made.status_code == 201
    assert speaker.listed() == []
    assert speaker.userids("astronaut_again") == ["unknown"]
    # Nor do they make a person ambiguous.
    speaker.register("Ada", "astronaut_again")
    assert speaker.userids("astronaut") == ["Ada"]


def test_registration_that_is_sent_again_is_answered_alike(speaker: Speaker) -> None:
    def send(userid: str) -> Response:
        return speaker.client.post(
            "/v1/vision/face/register",
            headers={"idempotency-key": "8f2c1c52-7d0a"},
            data={**speaker.own, "userid": userid},
            files={"image": photo("astronaut")},
        )

    first, again, other = send("Ada"), send("Ada"), send("Grace")
    assert first.json() == again.json()
    assert first.json()["message"] == "face added"
    assert again.headers["idempotency-replayed"] == "true"
    assert other.status_code == 400
    assert other.json()["success"] is False
    assert speaker.listed() == ["Ada"]


def test_registrations_at_once_are_of_one_person(admin: TestClient, speaker: Speaker) -> None:
    names = ("astronaut", "astronaut_again", "group")
    with ThreadPoolExecutor() as threads:
        answers = list(
            threads.map(lambda name: speaker.post("/register", name, userid="Ada"), names)
        )
    assert [answer.status_code for answer in answers] == [200] * 3
    messages = [answer.json()["message"] for answer in answers]
    assert sorted(messages) == ["face added", "face updated", "face updated"]
    (person,) = _people(admin, speaker)
    assert person["face_count"] == 3


def test_deleted_people_are_unknown_at_once(speaker: Speaker) -> None:
    speaker.register("Ada", "astronaut")
    assert speaker.userids("astronaut_again") == ["Ada"]
    answer = speaker.post("/delete", userid="Ada")
    assert answer.status_code == 200
    assert answer.json()["success"] is True
    assert speaker.userids("astronaut_again") == ["unknown"]


def test_deletion_of_nobody_is_a_success(speaker: Speaker) -> None:
    answer = speaker.post("/delete", userid="nobody")
    assert answer.status_code == 200
    assert answer.json()["success"] is True


def test_all_namesakes_are_deleted(admin: TestClient, speaker: Speaker) -> None:
    path = f"/v1/collections/{speaker.collection}/identities"
    for name in ("astronaut", "hopper"):
        made = admin.post(path, data={"name": "Ada"}, files=image(name, "images"))
        assert made.status_code == 201
    assert speaker.listed() == ["Ada"]
    speaker.post("/delete", userid="Ada")
    assert speaker.listed() == []


def test_held_people_are_not_deleted(admin: TestClient, speaker: Speaker) -> None:
    speaker.register("Ada", "astronaut")
    person = f"/v1/collections/{speaker.collection}/identities/ext:Ada"
    assert admin.put(f"{person}/hold", json={"reason": "a case"}).status_code in {200, 201}
    answer = speaker.post("/delete", userid="Ada")
    assert answer.status_code == 400
    assert answer.json()["success"] is False
    assert speaker.listed() == ["Ada"]
    assert admin.delete(f"{person}/hold").status_code in {200, 204}


def _sent_blurred(speaker: Speaker, radius: int) -> Response:
    """Register a photo that is blurred by so many pixels."""
    blurred = encoded(opened(photo("astronaut")).filter(ImageFilter.GaussianBlur(radius)))
    return speaker.client.post(
        "/v1/vision/face/register",
        data={**speaker.own, "userid": "Ada"},
        files={"image": blurred},
    )


@pytest.fixture
def guarding(keyed: TestClient, speaker: Speaker) -> Speaker:
    """The same service with guards at enrolment."""
    services = keyed.app.state.services  # type: ignore[attr-defined]
    settings = services.settings.model_copy(
        update={"deepstack": DeepStackSettings(guards=True, quality_filter="high")}
    )
    other = TestClient(create_app(settings, replace(services, settings=settings)))
    return Speaker(other, speaker.own, speaker.collection)


def test_guards_can_be_on(guarding: Speaker) -> None:
    assert guarding.post("/register", "hopper", userid="Grace").status_code == 200
    answer = guarding.post("/register", "hopper_again", userid="Ada")
    assert answer.status_code == 400
    assert "VULTUS_DEEPSTACK__GUARDS" in answer.json()["message"]
    assert guarding.listed() == ["Grace"]


def test_quality_is_that_of_the_settings(speaker: Speaker, guarding: Speaker) -> None:
    assert _sent_blurred(guarding, 2).status_code == 400
    assert _sent_blurred(speaker, 2).status_code == 200
