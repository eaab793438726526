"""IndexFaces: every face of a photo."""

import hashlib
from base64 import b64encode
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import ImageFilter

from app.compat.rekognition.reasons import reasons_of
from app.errors import Reason
from app.gallery.records import image_id
from app.operations.enroll.photo_subject import PassedOverReason
from tests.api.conftest import photo
from tests.compat.rekognition.signer import Rekognition
from tests.compat.rekognition.test_photos import image
from tests.kit import photos

_REASONS = {
    "EXCEEDS_MAX_FACES",
    "EXTREME_POSE",
    "LOW_BRIGHTNESS",
    "LOW_SHARPNESS",
    "LOW_CONFIDENCE",
    "SMALL_BOUNDING_BOX",
    "LOW_FACE_QUALITY",
}
"""Those of UnindexedFaces, as the service model has them."""


def _listed(rekognition: Rekognition, collection: str) -> list[dict[str, Any]]:
    faces: list[dict[str, Any]] = rekognition.call("ListFaces", CollectionId=collection)["Faces"]
    return faces


def test_every_face_of_a_group_is_indexed_without_a_user(
    rekognition: Rekognition, collection: str
) -> None:
    output = rekognition.call(
        "IndexFaces", CollectionId=collection, Image=image("group"), ExternalImageId="a:group.jpg"
    )
    records = output["FaceRecords"]
    assert len(records) > 1
    for record in records:
        face, detail = record["Face"], record["FaceDetail"]
        assert face["ExternalImageId"] == "a:group.jpg"
        assert face["ImageId"] == image_id(hashlib.sha256(photo("group")).hexdigest())
        assert face["IndexFacesModelVersion"] == output["FaceModelVersion"]
        assert "UserId" not in face
        assert face["BoundingBox"] == pytest.approx(detail["BoundingBox"])
        assert face["Confidence"] == pytest.approx(detail["Confidence"])
        assert set(detail) >= {"BoundingBox", "Confidence", "Landmarks", "Quality"}
    areas = [
        record["Face"]["BoundingBox"]["Width"] * record["Face"]["BoundingBox"]["Height"]
        for record in records
    ]
    assert areas == sorted(areas, reverse=True)
    assert _listed(rekognition, collection) == [record["Face"] for record in records]


def test_a_photo_that_is_sent_again_has_the_same_faces_unless_it_has_another_name(
    rekognition: Rekognition, collection: str
) -> None:
    def index(**more: Any) -> str:
        output = rekognition.call(
            "IndexFaces", CollectionId=collection, Image=image("hopper"), **more
        )
        (record,) = output["FaceRecords"]
        face_id: str = record["Face"]["FaceId"]
        return face_id

    first = index(ExternalImageId="one")
    assert index(ExternalImageId="one") == first
    assert index(ExternalImageId="two") != first
    unnamed = index()
    assert unnamed != first
    assert index() == unnamed
    assert len(_listed(rekognition, collection)) == 3


def test_faces_beyond_max_faces_are_not_indexed_and_say_so(
    rekognition: Rekognition, collection: str
) -> None:
    output = rekognition.call(
        "IndexFaces",
        CollectionId=collection,
        Image=image("group"),
        MaxFaces=1,
        QualityFilter="NONE",
    )
    assert len(output["FaceRecords"]) == 1
    assert {tuple(face["Reasons"]) for face in output["UnindexedFaces"]} == {("EXCEEDS_MAX_FACES",)}
    assert output["UnindexedFaces"][0]["FaceDetail"]["BoundingBox"]["Width"] > 0
    # More than the service allows for a photo is as many as it allows.
    rekognition.call(
        "IndexFaces", CollectionId=collection, Image=image("group"), MaxFaces=1_000_000
    )


def test_faces_that_are_not_good_enough_have_reasons(
    rekognition: Rekognition, collection: str
) -> None:
    blurred = photos.encoded(photos.hopper().filter(ImageFilter.GaussianBlur(4)))
    output = rekognition.call(
        "IndexFaces",
        CollectionId=collection,
        Image={"Bytes": b64encode(blurred).decode()},
        QualityFilter="HIGH",
    )
    assert output["FaceRecords"] == []
    face = output["UnindexedFaces"][0]
    assert "LOW_SHARPNESS" in face["Reasons"]
    assert set(face["Reasons"]) <= _REASONS
    assert face["FaceDetail"]["Quality"]["Sharpness"] < 80


def test_a_photo_without_a_face_is_no_error(rekognition: Rekognition, collection: str) -> None:
    output = rekognition.call("IndexFaces", CollectionId=collection, Image=image("coffee"))
    assert (output["FaceRecords"], output["UnindexedFaces"]) == ([], [])


def test_a_missing_collection_is_known_before_the_photo_is_looked_at(
    rekognition: Rekognition,
) -> None:
    rekognition.fail(
        "IndexFaces",
        "ResourceNotFoundException",
        CollectionId="none.such",
        Image={"Bytes": "AAAA"},
    )


def test_the_same_face_is_seen_over_the_api(
    client: TestClient, rekognition: Rekognition, collection: str
) -> None:
    rekognition.call("IndexFaces", CollectionId=collection, Image=image("hopper"))
    (person,) = client.get(
        f"/v1/collections/{collection}/identities", params={"anonymous": "only"}
    ).json()["identities"]
    assert person["face_count"] == 1


def test_every_reason_has_a_name_that_clients_know() -> None:
    for reason in [*Reason, PassedOverReason.BEYOND_LIMIT]:
        assert set(reasons_of([reason])) <= _REASONS
    assert reasons_of(["high_brightness", "low_contrast", "extreme_pose"]) == [
        "LOW_FACE_QUALITY",
        "EXTREME_POSE",
    ]
