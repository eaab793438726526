"""Double-Take reads the answers as it should, by both of its detectors."""

import pytest

from tests.compat.deepstack.conftest import Speaker
from tests.compat.deepstack.double_take import Reading, read_by_aiserver, read_by_deepstack


def _readings(speaker: Speaker, photo: str) -> tuple[list[Reading], list[Reading]]:
    answer = speaker.post("/recognize", photo)
    return read_by_deepstack(answer.json()), read_by_aiserver(answer.status_code, answer.json())


def test_enrolled_person_is_a_match(speaker: Speaker) -> None:
    speaker.register("Grace", "hopper")
    for (reading,) in _readings(speaker, "hopper_again"):
        assert reading.name == "grace"
        assert reading.is_match


def test_stranger_is_unknown(speaker: Speaker) -> None:
    speaker.register("Ada", "astronaut")
    for (reading,) in _readings(speaker, "hopper"):
        assert reading == Reading("unknown", 0, is_match=False)


def test_photo_without_a_face_is_no_faces(speaker: Speaker) -> None:
    assert _readings(speaker, "coffee") == ([], [])


def test_rejected_face_is_unknown(speaker: Speaker) -> None:
    speaker.register("Ada", "astronaut")
    for readings in _readings(speaker, "group"):
        assert {reading.name for reading in readings} == {"ada", "unknown"}


@pytest.mark.parametrize("photo", ["coffee"])
def test_failed_training_says_why(speaker: Speaker, photo: str) -> None:
    """It keeps status and body of a failure, and logs `message`, else `error`."""
    answer = speaker.post("/register", photo, userid="Ada")
    body = answer.json()
    assert answer.status_code == 400
    assert "face" in body.get("message", body["error"])


def test_training_again_takes_photos_away(speaker: Speaker) -> None:
    """It deletes a person, and registers the photos that are left."""
    speaker.register("Ada", "astronaut")
    speaker.register("Ada", "hopper")
    assert speaker.userids("group") == ["Ada", "Ada"]
    speaker.post("/delete", userid="Ada")
    speaker.register("Ada", "hopper")
    assert sorted(speaker.userids("group")) == ["Ada", "unknown"]
