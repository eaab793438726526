"""CompareFaces and DetectFaces: photos alone."""

from base64 import b64encode
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import photo
from tests.compat.rekognition.signer import Rekognition


def image(name: str) -> dict[str, str]:
    """A photo of the tests by name, as an Image."""
    return {"Bytes": b64encode(photo(name)).decode()}


def test_the_same_person_matches_and_others_are_unmatched(rekognition: Rekognition) -> None:
    same = rekognition.call(
        "CompareFaces", SourceImage=image("astronaut"), TargetImage=image("astronaut_again")
    )
    (match,) = same["FaceMatches"]
    assert match["Similarity"] > 95
    assert same["UnmatchedFaces"] == []
    _require_face(match["Face"])
    assert set(same["SourceImageFace"]) == {"BoundingBox", "Confidence"}

    other = rekognition.call(
        "CompareFaces", SourceImage=image("astronaut"), TargetImage=image("hopper")
    )
    assert other["FaceMatches"] == []
    (face,) = other["UnmatchedFaces"]
    _require_face(face)
    # Below the threshold it is a match, if that is asked for.
    found = rekognition.call(
        "CompareFaces",
        SourceImage=image("astronaut"),
        TargetImage=image("hopper"),
        SimilarityThreshold=0,
    )
    assert 0 <= found["FaceMatches"][0]["Similarity"] < 80
    assert found["UnmatchedFaces"] == []


def test_a_group_is_compared_face_by_face(rekognition: Rekognition) -> None:
    found = rekognition.call(
        "CompareFaces", SourceImage=image("hopper"), TargetImage=image("group")
    )
    assert len(found["FaceMatches"]) + len(found["UnmatchedFaces"]) > 1
    assert len(found["FaceMatches"]) <= 1


@pytest.mark.parametrize("target", ["astronaut_again", "hopper"])
def test_similarity_follows_from_the_error_rate_and_is_80_where_verify_decides(
    client: TestClient, rekognition: Rekognition, target: str
) -> None:
    files = {"image_a": photo("astronaut"), "image_b": photo(target)}
    verified = client.post("/v1/verify", files=files).json()
    found = rekognition.call(
        "CompareFaces",
        SourceImage=image("astronaut"),
        TargetImage=image(target),
        SimilarityThreshold=0,
    )
    similarity = found["FaceMatches"][0]["Similarity"]
    assert (similarity >= 80) == verified["match"]
    ratio = verified["fmr"]["value"] / 1e-3  # over the rate at which verify decides by default
    assert similarity == pytest.approx(100 / (1 + 0.25 * ratio), rel=1e-3)


@pytest.mark.parametrize(("source", "target"), [("coffee", "hopper"), ("hopper", "coffee")])
def test_a_photo_without_a_face_is_refused_to_the_letter(
    rekognition: Rekognition, source: str, target: str
) -> None:
    message = rekognition.fail(
        "CompareFaces",
        "InvalidParameterException",
        SourceImage=image(source),
        TargetImage=image(target),
    )
    assert message == "Request has invalid parameters"


def test_what_is_no_photo_and_what_lies_in_a_bucket_are_refused(rekognition: Rekognition) -> None:
    text = {"Bytes": b64encode(b"this is no photo").decode()}
    rekognition.fail(
        "CompareFaces",
        "InvalidImageFormatException",
        SourceImage=image("hopper"),
        TargetImage=text,
    )
    message = rekognition.fail(
        "CompareFaces",
        "InvalidS3ObjectException",
        SourceImage={"S3Object": {"Bucket": "faces", "Name": "ada.jpg"}},
        TargetImage=image("hopper"),
    )
    assert "Bytes" in message


def test_base64_that_was_encoded_twice_is_named(rekognition: Rekognition) -> None:
    """The AWS CLI does so with --image '{"Bytes": "..."}'."""
    twice = {"Bytes": b64encode(image("hopper")["Bytes"].encode()).decode()}
    message = rekognition.fail(
        "CompareFaces", "InvalidImageFormatException", SourceImage=twice, TargetImage=twice
    )
    assert "base64" in message


@pytest.mark.parametrize("attributes", [["DEFAULT"], ["ALL"], ["AGE_RANGE", "EMOTIONS"], []])
def test_the_faces_of_a_photo_are_detected_and_nothing_is_invented(
    rekognition: Rekognition, attributes: list[str]
) -> None:
    output = rekognition.call("DetectFaces", Image=image("group"), Attributes=attributes)
    assert len(output["FaceDetails"]) > 1
    for face in output["FaceDetails"]:
        _require_face(face)
        assert set(face) == {"BoundingBox", "Confidence", "Landmarks", "Pose", "Quality"}
    assert rekognition.call("DetectFaces", Image=image("coffee")) == {"FaceDetails": []}


def _require_face(face: dict[str, Any]) -> None:
    box = face["BoundingBox"]
    assert -0.2 < box["Left"] < 1
    assert -0.2 < box["Top"] < 1
    assert 0 < box["Width"] < 1.2
    assert 0 < box["Height"] < 1.2
    assert 50 < face["Confidence"] <= 100
    places = {mark["Type"]: (mark["X"], mark["Y"]) for mark in face["Landmarks"]}
    assert set(places) == {"eyeLeft", "eyeRight", "nose", "mouthLeft", "mouthRight"}
    assert places["eyeLeft"][0] < places["eyeRight"][0]
    assert places["eyeLeft"][1] < places["nose"][1] < places["mouthLeft"][1]
    assert box["Left"] < places["nose"][0] < box["Left"] + box["Width"]
    assert set(face["Quality"]) == {"Brightness", "Sharpness"}
    assert all(abs(angle) < 45 for angle in face["Pose"].values())
    assert set(face["Pose"]) == {"Roll", "Yaw", "Pitch"}
