"""Faces that are found, recognised and compared."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import image, photo
from tests.compat.deepstack.conftest import Speaker
from tests.kit.photos import opened

_A = 0.67
_TARGET_FPIR = 0.01
_TARGET_FMR = 1e-3


def _confidence(ratio: float) -> float:
    return 1 / (1 + (1 - _A) / _A * ratio)


def _identified(admin: TestClient, speaker: Speaker, name: str) -> dict[str, Any]:
    """The largest face, as the service's own API identifies it."""
    path = f"/v1/collections/{speaker.collection}/identify"
    face: dict[str, Any] = admin.post(path, files=image(name)).json()["faces"][0]
    return face


def test_people_are_named_and_strangers_are_unknown(speaker: Speaker) -> None:
    speaker.register("Eileen Collins", "astronaut")
    answer = speaker.post("/recognize", "group")
    assert answer.status_code == 200
    found = {face["userid"]: face for face in answer.json()["predictions"]}
    assert found.keys() == {"Eileen Collins", "unknown"}
    assert found["unknown"]["confidence"] == 0
    assert found["Eileen Collins"]["confidence"] >= _A
    width, height = opened(photo("group")).size
    for face in found.values():
        sides = [face[side] for side in ("x_min", "y_min", "x_max", "y_max")]
        assert all(isinstance(side, int) for side in sides)
        assert 0 <= sides[0] < sides[2] <= width
        assert 0 <= sides[1] < sides[3] <= height


def test_without_people_everybody_is_unknown(speaker: Speaker) -> None:
    assert speaker.userids("group") == ["unknown", "unknown"]


@pytest.mark.parametrize("path", ["", "/recognize"])
def test_photo_without_a_face_is_a_success_without_predictions(speaker: Speaker, path: str) -> None:
    answer = speaker.post(path, "coffee")
    assert answer.status_code == 200
    assert answer.json()["success"] is True
    assert answer.json()["predictions"] == []


def test_confidence_follows_from_the_error_rate(admin: TestClient, speaker: Speaker) -> None:
    speaker.register("Eileen Collins", "astronaut")
    (found,) = speaker.post("/recognize", "astronaut_again").json()["predictions"]
    fpir = _identified(admin, speaker, "astronaut_again")["fpir"]["value"]
    # The service's own API, asked by an admin, has more decimals of the similarity.
    assert found["confidence"] == pytest.approx(_confidence(fpir / _TARGET_FPIR), abs=0.002)


def test_min_confidence_is_compared_with_the_confidence(speaker: Speaker) -> None:
    speaker.register("Eileen Collins", "astronaut")
    (found,) = speaker.post("/recognize", "astronaut_again").json()["predictions"]
    at = str(found["confidence"])
    assert speaker.userids("astronaut_again", min_confidence=at) == ["Eileen Collins"]
    above = speaker.post("/recognize", "astronaut_again", min_confidence="1").json()["predictions"]
    assert [(face["userid"], face["confidence"]) for face in above] == [("unknown", 0)]


def test_two_people_with_one_face_are_below_the_default(speaker: Speaker) -> None:
    for userid in ("Grace", "Hopper"):
        speaker.register(userid, "hopper")
    assert speaker.userids("hopper_again") == ["unknown"]
    (found,) = speaker.post("/recognize", "hopper_again", min_confidence="0.45").json()[
        "predictions"
    ]
    assert found["userid"] in {"Grace", "Hopper"}
    assert found["confidence"] == pytest.approx(_A - 1e-4)


def test_least_detection_score_is_asked_for(speaker: Speaker) -> None:
    faces = speaker.post("", "group").json()["predictions"]
    scores = sorted(face["confidence"] for face in faces)
    assert len(scores) == 2
    between = str((scores[0] + scores[1]) / 2)
    kept = speaker.post("", "group", min_confidence=between).json()["predictions"]
    assert [face["confidence"] for face in kept] == [scores[1]]


@pytest.mark.parametrize("path", ["", "/recognize"])
@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ("much", "Invalid value for min_confidence"),
        ("nan", "Invalid value for min_confidence"),
        ("-0.1", "Invalid value for min_confidence"),
        ("1.01", "min_confidence cannot be greater than 1"),
    ],
)
def test_other_min_confidences_are_refused(
    speaker: Speaker, path: str, sent: str, error: str
) -> None:
    answer = speaker.post(path, "astronaut", min_confidence=sent)
    assert answer.status_code == 400
    assert answer.json() == {"success": False, "error": error, "duration": 0}


@pytest.mark.parametrize("path", ["", "/recognize", "/match"])
def test_request_without_a_photo_is_refused(speaker: Speaker, path: str) -> None:
    answer = speaker.post(path)
    assert answer.status_code == 400
    assert answer.json()["error"] == "No valid image file found"


def test_file_that_is_no_photo_is_refused(speaker: Speaker) -> None:
    answer = speaker.client.post(
        "/v1/vision/face/recognize", data=dict(speaker.own), files={"image": b"no photo"}
    )
    assert answer.status_code == 400
    body = answer.json()
    assert (body["success"], body["error"]) == (False, "invalid image")
    assert body["message"]


def test_similarity_of_two_photos_follows_from_the_error_rate(
    admin: TestClient, speaker: Speaker
) -> None:
    answer = speaker.post("/match", "astronaut", "astronaut_again").json()
    pair = {
        "image_a": ("a.jpg", photo("astronaut")),
        "image_b": ("b.jpg", photo("astronaut_again")),
    }
    fmr = admin.post("/v1/verify", files=pair).json()["fmr"]["value"]
    assert answer["success"] is True
    assert answer["similarity"] == pytest.approx(_confidence(fmr / _TARGET_FMR))
    assert speaker.post("/match", "astronaut", "hopper").json()["similarity"] < _A


def test_pair_without_a_face_is_answered_by_a_failure_with_status_200(speaker: Speaker) -> None:
    answer = speaker.post("/match", "astronaut", "coffee")
    assert answer.status_code == 200
    assert answer.json() == {"success": False, "error": "no face found", "duration": 0}


@pytest.mark.parametrize(
    ("photos", "error"),
    [
        (["astronaut"], "expected two image files, only one found"),
        (["astronaut"] * 3, "only two images allowed"),
    ],
)
def test_other_numbers_of_photos_are_no_pair(
    speaker: Speaker, photos: list[str], error: str
) -> None:
    answer = speaker.post("/match", *photos)
    assert answer.status_code == 400
    assert answer.json()["error"] == error


def test_answer_has_the_fields_of_codeproject_ai(speaker: Speaker) -> None:
    answer = speaker.post("/recognize", "group").json()
    assert answer["count"] == 2
    assert answer["message"] == "2 faces found"
    assert answer["command"] == "recognize"
    assert answer["moduleId"] == "FaceProcessing"
    assert answer["executionProvider"] == "CPU"
    for timed in (answer, speaker.post("/match", "astronaut", "hopper").json()):
        assert 0 < timed["inferenceMs"] <= timed["processMs"] <= timed["analysisRoundTripMs"]
