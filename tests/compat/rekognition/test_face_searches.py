"""SearchFaces and SearchFacesByImage: stored faces of users and of nobody, each by itself."""

from base64 import b64encode
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from app.compat.rekognition.schemas.base import record_id
from tests.api.conftest import images
from tests.api.people import embedding, enroll_all, like
from tests.compat.rekognition.signer import Rekognition
from tests.compat.rekognition.user_calls import Users, enroll_free, sent_photo
from tests.kit import photos
from tests.kit.default_network import MATCH

ADA, BOB = embedding(1), embedding(2)
NO_FACE = "There are no faces in the image. Should be at least 1."


def found(output: dict[str, Any]) -> dict[str, float]:
    """Similarity by id of the face."""
    return {match["Face"]["FaceId"]: match["Similarity"] for match in output["FaceMatches"]}


def test_a_face_finds_others_whoever_has_them_but_not_itself(
    client: TestClient, users: Users, collection: str
) -> None:
    sent = [ADA, like(ADA, 0.95, seed=5), like(ADA, 0.8, seed=6), like(ADA, 0.9, seed=7), BOB]
    probe, near, less, middle, bob = enroll_free(client, collection, *sent)
    users.add("ada", near, less)
    output = users.call("SearchFaces", FaceId=probe)
    assert output["SearchedFaceId"] == probe
    assert list(found(output)) == [near, middle, less]
    assert all(80 <= similarity < 100 for similarity in found(output).values())
    theirs = [match["Face"].get("UserId") for match in output["FaceMatches"]]
    assert theirs == ["ada", None, "ada"]
    version = users.call("DescribeCollection")["FaceModelVersion"]
    assert output["FaceModelVersion"] == version
    assert list(found(users.call("SearchFaces", FaceId=probe, MaxFaces=2))) == [near, middle]
    strict = users.call("SearchFaces", FaceId=probe, FaceMatchThreshold=found(output)[middle])
    assert list(found(strict)) == [near, middle]
    every = found(users.call("SearchFaces", FaceId=probe, FaceMatchThreshold=0))
    assert list(every) == [near, middle, less, bob]
    assert every[bob] < 80


@pytest.mark.parametrize("similarity", [MATCH - 0.002, MATCH + 0.05])
def test_eighty_is_the_decision_of_vultus(
    client: TestClient, users: Users, collection: str, similarity: float
) -> None:
    other, probe = enroll_free(client, collection, ADA, like(ADA, similarity, seed=5))
    decided = client.post(
        f"/v1/collections/{collection}/search", json={"face_id": record_id(probe)}
    ).json()
    matches = found(users.call("SearchFaces", FaceId=probe))
    assert (list(matches) == [other]) == (decided["status"] == "match") == (similarity > MATCH)


def test_several_faces_of_one_person_without_a_user_are_all_found(
    client: TestClient, users: Users, collection: str
) -> None:
    """Programs index several photos of a person; their people are no rivals of each other."""
    alike = [like(ADA, 0.9, seed=seed) for seed in (5, 6, 7)]
    *kept, probe = enroll_free(client, collection, *alike, ADA)
    assert sorted(found(users.call("SearchFaces", FaceId=probe))) == sorted(kept)


def test_the_same_picture_has_a_hundred(client: TestClient, users: Users, collection: str) -> None:
    (one,) = enroll_free(client, collection, ADA)
    (other,) = enroll_free(client, collection, ADA)
    output = users.call("SearchFaces", FaceId=one, FaceMatchThreshold=100)
    assert found(output) == {other: 100.0}


def test_persons_own_threshold_counts(client: TestClient, users: Users, collection: str) -> None:
    near = like(ADA, 0.8, seed=5)
    enroll_all(client, collection, {"external_id": "a", "embeddings": [near], "threshold": 0.9})
    (probe,) = enroll_free(client, collection, ADA)
    assert found(users.call("SearchFaces", FaceId=probe)) == {}
    (similarity,) = found(users.call("SearchFaces", FaceId=probe, FaceMatchThreshold=70)).values()
    assert similarity < 80


def test_a_photo_finds_the_faces_like_its_largest(
    client: TestClient, users: Users, collection: str
) -> None:
    people = f"/v1/collections/{collection}/identities"
    for user_id, name in (("eileen", "astronaut"), ("grace", "hopper")):
        sent = client.post(people, data={"external_id": user_id}, files=images(name))
        assert sent.status_code == 201
    output = users.call("SearchFacesByImage", Image=sent_photo("astronaut_again"))
    (match,) = output["FaceMatches"]
    assert match["Similarity"] >= 80
    assert match["Face"]["UserId"] == "eileen"
    searched = output["SearchedFaceBoundingBox"]
    assert match["Face"]["BoundingBox"] == pytest.approx(searched, abs=0.1)
    assert 50 < output["SearchedFaceConfidence"] <= 100
    nobody = users.call(
        "SearchFacesByImage", Image=sent_photo("hopper_again"), FaceMatchThreshold=100, MaxFaces=1
    )
    assert nobody["FaceMatches"] == []


def test_a_photo_without_a_usable_face_is_an_error_that_programs_know(users: Users) -> None:
    kind = "InvalidParameterException"
    assert users.fail("SearchFacesByImage", kind, Image=sent_photo("coffee")) == NO_FACE
    dark = photos.encoded(photos.astronaut().point(lambda value: value * 0.06))
    poor = {"Image": {"Bytes": b64encode(dark).decode()}, "QualityFilter": "HIGH"}
    assert users.fail("SearchFacesByImage", kind, **poor) == NO_FACE


def test_what_cannot_be_searched_is_refused(users: Users, rekognition: Rekognition) -> None:
    invalid, unknown = "InvalidParameterException", str(uuid4())
    users.fail("SearchFaces", invalid, FaceId=unknown)
    users.fail("SearchFaces", invalid, FaceId="no-uuid")
    users.fail("SearchFaces", invalid, FaceId=unknown, MaxFaces=0)
    users.fail("SearchFaces", invalid, FaceId=unknown, MaxFaces=4_097)
    users.fail("SearchFaces", invalid, FaceId=unknown, FaceMatchThreshold=100.5)
    users.fail("SearchFacesByImage", invalid, Image={})
    broken = {"Bytes": b64encode(b"no photo").decode()}
    users.fail("SearchFacesByImage", "InvalidImageFormatException", Image=broken)
    bucket = {"S3Object": {"Bucket": "faces", "Name": "ada.jpg"}}
    users.fail("SearchFacesByImage", "InvalidS3ObjectException", Image=bucket)
    for operation, more in (
        ("SearchFaces", {"FaceId": unknown}),
        ("SearchFacesByImage", {"Image": sent_photo("coffee")}),
        ("SearchUsersByImage", {"Image": sent_photo("coffee")}),
    ):
        rekognition.fail(operation, "ResourceNotFoundException", CollectionId="nowhere", **more)
