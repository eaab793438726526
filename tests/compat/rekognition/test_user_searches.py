"""SearchUsers: 80 is the decision of Vultus, and only users are found."""

from base64 import b64encode
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from app.compat.rekognition.schemas.base import record_id
from tests.api.conftest import images
from tests.api.people import Values, embedding, like
from tests.compat.rekognition.signer import Rekognition
from tests.compat.rekognition.user_calls import Users, enroll_free, sent_photo
from tests.kit import photos
from tests.kit.default_network import MATCH

ADA, BOB = embedding(1), embedding(2)
UNKNOWN = str(uuid4())


def found(output: dict[str, Any]) -> dict[str, float]:
    """Similarity by id of the user."""
    return {match["User"]["UserId"]: match["Similarity"] for match in output["UserMatches"]}


def test_a_face_finds_the_users_whom_it_resembles_most_similar_first(
    client: TestClient, users: Users, collection: str
) -> None:
    sent = [like(ADA, 0.95, seed=5), like(ADA, 0.8, seed=6), BOB, like(ADA, 0.97, seed=7), ADA]
    near, less, bob, free, probe = enroll_free(client, collection, *sent)
    assert free
    users.add("near", near)
    users.add("less", less)
    users.add("bob", bob)
    users.add("without")
    output = users.call("SearchUsers", FaceId=probe)
    assert list(found(output)) == ["near", "less"]
    assert 80 <= found(output)["less"] < found(output)["near"] < 100
    assert output["SearchedFace"] == {"FaceId": probe}
    assert "SearchedUser" not in output
    assert output["UserMatches"][0]["User"]["UserStatus"] == "ACTIVE"
    version = users.call("DescribeCollection")["FaceModelVersion"]
    assert output["FaceModelVersion"] == version
    between = (found(output)["less"] + found(output)["near"]) / 2
    strict = users.call("SearchUsers", FaceId=probe, UserMatchThreshold=between)
    assert list(found(strict)) == ["near"]
    assert list(found(users.call("SearchUsers", FaceId=probe, MaxUsers=1))) == ["near"]
    every = users.call("SearchUsers", FaceId=probe, UserMatchThreshold=0)
    assert list(found(every)) == ["near", "less", "bob"]


def test_the_face_of_a_user_finds_them_and_a_user_only_others(
    client: TestClient, users: Users, collection: str
) -> None:
    ada, twin = enroll_free(client, collection, ADA, like(ADA, 0.9, seed=5))
    users.add("ada", ada)
    users.add("twin", twin)
    assert found(users.call("SearchUsers", FaceId=ada))["ada"] == pytest.approx(100, abs=1e-3)
    output = users.call("SearchUsers", UserId="ada")
    assert list(found(output)) == ["twin"]
    assert output["SearchedUser"] == {"UserId": "ada"}
    assert "SearchedFace" not in output
    users.add("without")
    assert users.call("SearchUsers", UserId="without")["UserMatches"] == []


@pytest.mark.parametrize("similarity", [MATCH - 0.002, MATCH + 0.05])
def test_eighty_is_the_decision_of_vultus(
    client: TestClient, users: Users, collection: str, similarity: float
) -> None:
    user, probe = enroll_free(client, collection, ADA, like(ADA, similarity, seed=5))
    users.add("ada", user)
    body = {"face_id": record_id(probe), "stages": [{"filter": {"anonymous": "exclude"}}]}
    decided = client.post(f"/v1/collections/{collection}/search", json=body).json()
    matches = found(users.call("SearchUsers", FaceId=probe))
    assert (list(matches) == ["ada"]) == (decided["status"] == "match") == (similarity > MATCH)
    below = found(users.call("SearchUsers", FaceId=probe, UserMatchThreshold=1))
    assert (below["ada"] >= 80) == (similarity > MATCH)


def test_of_users_who_are_equally_similar_none_reaches_eighty(
    client: TestClient, users: Users, collection: str
) -> None:
    sides: list[Values] = [like(ADA, 0.9, seed=seed) for seed in (5, 6)]
    one, other, probe = enroll_free(client, collection, *sides, ADA)
    users.add("one", one)
    users.add("other", other)
    assert users.call("SearchUsers", FaceId=probe)["UserMatches"] == []
    both = found(users.call("SearchUsers", FaceId=probe, UserMatchThreshold=79))
    assert both == {"one": pytest.approx(79.99), "other": pytest.approx(79.99)}


def test_more_users_are_searched_than_were_at_first(
    client: TestClient, users: Users, collection: str
) -> None:
    vectors = [like(ADA, 0.9, seed=seed) for seed in range(100, 112)]
    *kept, probe = enroll_free(client, collection, *vectors, ADA)
    for number, face in enumerate(kept):
        users.add(f"user-{number}", face)
    output = users.call("SearchUsers", FaceId=probe, UserMatchThreshold=79)
    assert len(output["UserMatches"]) == 12
    fewer = users.call("SearchUsers", FaceId=probe, UserMatchThreshold=79, MaxUsers=11)
    assert len(fewer["UserMatches"]) == 11


def test_what_cannot_be_searched_is_refused(users: Users, rekognition: Rekognition) -> None:
    invalid = "InvalidParameterException"
    users.fail("SearchUsers", invalid, FaceId=UNKNOWN)
    users.fail("SearchUsers", invalid)
    users.fail("SearchUsers", invalid, FaceId=UNKNOWN, UserId="ada")
    users.fail("SearchUsers", invalid, FaceId=UNKNOWN, MaxUsers=501)
    users.fail("SearchUsers", invalid, UserId="ada", UserMatchThreshold=-1)
    users.fail("SearchUsers", "ResourceNotFoundException", UserId="eve")
    rekognition.fail(
        "SearchUsers", "ResourceNotFoundException", CollectionId="nowhere", UserId="ada"
    )


def test_a_photo_finds_the_users_of_its_largest_face_and_names_the_others(
    client: TestClient, users: Users, collection: str
) -> None:
    people = f"/v1/collections/{collection}/identities"
    for user_id, name in (("eileen", "astronaut"), ("grace", "hopper")):
        sent = client.post(people, data={"external_id": user_id}, files=images(name))
        assert sent.status_code == 201
    output = users.call("SearchUsersByImage", Image=sent_photo("astronaut_again"))
    assert list(found(output)) == ["eileen"]
    assert found(output)["eileen"] >= 80
    detail = output["SearchedFace"]["FaceDetail"]
    assert 0 < detail["BoundingBox"]["Width"] < 1
    assert detail["Confidence"] > 50
    assert output["UnsearchedFaces"] == []
    group = users.call("SearchUsersByImage", Image=sent_photo("group"))
    reasons = {tuple(face["Reasons"]) for face in group["UnsearchedFaces"]}
    assert reasons == {("FACE_NOT_LARGEST",)}
    assert all(face["FaceDetails"]["BoundingBox"] for face in group["UnsearchedFaces"])
    strict = {"UserMatchThreshold": 100}
    none = users.call("SearchUsersByImage", Image=sent_photo("astronaut_again"), **strict)
    assert none["UserMatches"] == []
    assert "SearchedFace" in none


def test_more_users_are_searched_by_a_photo_than_were_at_first(
    client: TestClient, users: Users, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.compat.rekognition.operations.user_searches._FEW_USERS", 1)
    people = f"/v1/collections/{collection}/identities"
    for user_id, name in (("one", "astronaut"), ("other", "astronaut_again")):
        data = {"external_id": user_id, "force": "true"}
        assert client.post(people, data=data, files=images(name)).status_code == 201
    asked = {"Image": sent_photo("astronaut"), "UserMatchThreshold": 79}
    assert set(found(users.call("SearchUsersByImage", **asked))) == {"one", "other"}
    assert len(found(users.call("SearchUsersByImage", **asked, MaxUsers=1))) == 1


def test_a_photo_without_a_usable_face_finds_nobody_and_is_no_error(users: Users) -> None:
    nobody = users.call("SearchUsersByImage", Image=sent_photo("coffee"))
    assert (nobody["UserMatches"], nobody["UnsearchedFaces"]) == ([], [])
    assert "SearchedFace" not in nobody
    dark = photos.astronaut().point(lambda value: value * 0.06)
    image = {"Bytes": b64encode(photos.encoded(dark)).decode()}
    poor = users.call("SearchUsersByImage", Image=image, QualityFilter="HIGH")
    assert poor["UserMatches"] == []
    assert "SearchedFace" not in poor
    (unsearched,) = poor["UnsearchedFaces"]
    assert "LOW_BRIGHTNESS" in unsearched["Reasons"]
