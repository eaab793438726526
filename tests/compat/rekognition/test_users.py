"""Users: created, listed and deleted; faces become theirs, and are nobody's again."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from app.compat.rekognition.schemas.base import wire_id
from app.settings import Settings
from tests.api.people import embedding, enroll_all, like
from tests.compat.rekognition.signer import Rekognition
from tests.compat.rekognition.user_calls import Users, enroll_free

ADA, BOB = embedding(1), embedding(2)
UNKNOWN = str(uuid4())


@pytest.fixture
def faces(client: TestClient, collection: str) -> list[str]:
    """Ids of faces without a user: three of Ada, one of Bob."""
    alike = [ADA, like(ADA, 0.9, seed=5), like(ADA, 0.9, seed=6)]
    return enroll_free(client, collection, *alike, BOB)


def owners(client: TestClient, collection: str) -> dict[str, str | None]:
    """The users of all faces, by ids."""
    listed = client.get(f"/v1/collections/{collection}/faces").json()["faces"]
    return {wire_id(face["id"]): face["identity"]["external_id"] for face in listed}


def associated(output: dict[str, Any]) -> list[str]:
    return [face["FaceId"] for face in output["AssociatedFaces"]]


def test_users_are_created_and_listed_page_by_page(users: Users) -> None:
    for user_id in ("ada", "bob:2", "c_-."):
        assert users.call("CreateUser", UserId=user_id) == {}
    assert users.listed() == dict.fromkeys(("ada", "bob:2", "c_-."), "CREATED")
    first = users.call("ListUsers", MaxResults=2)
    assert [user["UserId"] for user in first["Users"]] == ["ada", "bob:2"]
    rest = users.call("ListUsers", MaxResults=2, NextToken=first["NextToken"])
    assert [user["UserId"] for user in rest["Users"]] == ["c_-."]
    assert "NextToken" not in rest
    assert users.call("DescribeCollection")["UserCount"] == 3
    users.fail("ListUsers", "InvalidPaginationTokenException", NextToken="not a page")


def test_people_of_other_apis_are_users_by_their_key_or_else_their_id(
    client: TestClient, users: Users, collection: str
) -> None:
    keyed, named, spaced = enroll_all(
        client,
        collection,
        {"external_id": "emp-1", "embeddings": [ADA]},
        {"name": "Bob"},
        {"external_id": "with space"},
    )
    assert users.listed() == {"emp-1": "ACTIVE", named: "CREATED", spaced: "CREATED"}
    for user_id in ("emp-1", named):
        users.fail("CreateUser", "ConflictException", UserId=user_id)
    users.fail("DeleteUser", "ResourceNotFoundException", UserId=keyed)
    users.call("DeleteUser", UserId=named)
    assert named not in users.listed()


def test_associated_faces_make_a_user_active(
    client: TestClient, users: Users, collection: str, faces: list[str]
) -> None:
    users.call("CreateUser", UserId="ada")
    done = users.call("AssociateFaces", UserId="ada", FaceIds=faces[:1])
    assert done == {
        "AssociatedFaces": [{"FaceId": faces[0]}],
        "UnsuccessfulFaceAssociations": [],
        "UserStatus": "ACTIVE",
    }
    assert users.listed() == {"ada": "ACTIVE"}
    again = users.call("AssociateFaces", UserId="ada", FaceIds=faces[:1])
    assert (again["AssociatedFaces"], again["UnsuccessfulFaceAssociations"]) == ([], [])
    assert owners(client, collection)[faces[0]] == "ada"


def test_each_face_that_is_refused_has_its_reason(users: Users, faces: list[str]) -> None:
    for user_id, face in (("ada", faces[0]), ("bob", faces[1])):
        users.call("CreateUser", UserId=user_id)
        users.call("AssociateFaces", UserId=user_id, FaceIds=[face])
    done = users.call(
        "AssociateFaces", UserId="ada", FaceIds=[faces[2], faces[3], faces[1], UNKNOWN]
    )
    assert associated(done) == [faces[2]]
    unlike, other, missing = done["UnsuccessfulFaceAssociations"]
    assert unlike.pop("Confidence") < 75
    assert unlike == {"FaceId": faces[3], "Reasons": ["LOW_MATCH_CONFIDENCE"]}
    assert other == {
        "FaceId": faces[1],
        "UserId": "bob",
        "Reasons": ["ASSOCIATED_TO_A_DIFFERENT_USER"],
    }
    assert missing == {"FaceId": UNKNOWN, "Reasons": ["FACE_NOT_FOUND"]}


def test_the_threshold_of_a_request_decides_what_is_like_the_user(
    users: Users, faces: list[str]
) -> None:
    users.call("CreateUser", UserId="ada")
    users.call("AssociateFaces", UserId="ada", FaceIds=faces[:1], UserMatchThreshold=100)
    strict = users.call("AssociateFaces", UserId="ada", FaceIds=faces[1:2], UserMatchThreshold=100)
    (refused,) = strict["UnsuccessfulFaceAssociations"]
    assert 80 < refused["Confidence"] < 100
    lower = 99.9 * refused["Confidence"] / 100
    done = users.call("AssociateFaces", UserId="ada", FaceIds=faces[1:2], UserMatchThreshold=lower)
    assert associated(done) == faces[1:2]
    anything = users.call("AssociateFaces", UserId="ada", FaceIds=faces[3:], UserMatchThreshold=0)
    assert associated(anything) == faces[3:]


def test_a_user_has_at_most_a_hundred_faces(
    client: TestClient, users: Users, collection: str, faces: list[str]
) -> None:
    alike = [like(ADA, 0.9, seed=100 + number) for number in range(99)]
    enroll_all(client, collection, {"external_id": "ada", "embeddings": alike})
    users.fail("AssociateFaces", "ServiceQuotaExceededException", UserId="ada", FaceIds=faces[:2])
    done = users.call("AssociateFaces", UserId="ada", FaceIds=faces[:1])
    assert associated(done) == faces[:1]


def test_disassociated_faces_stay_without_a_user(
    client: TestClient, users: Users, collection: str, faces: list[str]
) -> None:
    for user_id, face_ids in (("ada", faces[:2]), ("bob", faces[2:3])):
        users.call("CreateUser", UserId=user_id)
        users.call("AssociateFaces", UserId=user_id, FaceIds=face_ids)
    sent = [faces[1], faces[2], faces[3], UNKNOWN]
    done = users.call("DisassociateFaces", UserId="ada", FaceIds=sent)
    assert done == {
        "DisassociatedFaces": [{"FaceId": faces[1]}],
        "UnsuccessfulFaceDisassociations": [
            {"FaceId": faces[2], "UserId": "bob", "Reasons": ["ASSOCIATED_TO_A_DIFFERENT_USER"]},
            {"FaceId": UNKNOWN, "Reasons": ["FACE_NOT_FOUND"]},
        ],
        "UserStatus": "ACTIVE",
    }
    last = users.call("DisassociateFaces", UserId="ada", FaceIds=faces[:1])
    assert last["UserStatus"] == "CREATED"
    kept = {faces[0]: None, faces[1]: None, faces[2]: "bob", faces[3]: None}
    assert owners(client, collection) == kept


def test_faces_of_a_deleted_user_stay_without_one(
    client: TestClient, users: Users, collection: str, faces: list[str]
) -> None:
    users.call("CreateUser", UserId="ada")
    users.call("AssociateFaces", UserId="ada", FaceIds=faces[:2])
    assert users.call("DeleteUser", UserId="ada") == {}
    assert users.listed() == {}
    assert owners(client, collection) == dict.fromkeys(faces)


def test_who_is_not_there_is_not_found(
    rekognition: Rekognition, users: Users, faces: list[str]
) -> None:
    for operation, more in (
        ("DeleteUser", {}),
        ("AssociateFaces", {"FaceIds": faces}),
        ("DisassociateFaces", {"FaceIds": faces}),
    ):
        users.fail(operation, "ResourceNotFoundException", UserId="eve", **more)
        rekognition.fail(
            operation, "ResourceNotFoundException", CollectionId="nowhere", UserId="a", **more
        )
    for operation in ("CreateUser", "ListUsers"):
        rekognition.fail(operation, "ResourceNotFoundException", CollectionId="nowhere", UserId="a")


def test_a_change_is_carried_out_once_a_token(users: Users, faces: list[str]) -> None:
    for _ in range(2):
        assert users.call("CreateUser", UserId="ada", ClientRequestToken="t-1") == {}
    users.fail(
        "CreateUser", "IdempotentParameterMismatchException", UserId="b", ClientRequestToken="t-1"
    )
    users.fail("CreateUser", "ConflictException", UserId="ada", ClientRequestToken="t-2")
    users.call("CreateUser", UserId="bob")
    users.call("AssociateFaces", UserId="bob", FaceIds=faces[3:])
    sent = {"UserId": "ada", "FaceIds": [faces[0], faces[3]], "ClientRequestToken": "t-1"}
    first = users.call("AssociateFaces", **sent)
    assert associated(first) == faces[:1], "of another operation it is another token"
    again = users.call("AssociateFaces", **sent)
    (other,) = first["UnsuccessfulFaceAssociations"]
    assert other.pop("UserId") == "bob"
    assert again == first, "but for the names of other users"
    lost = {"UserId": "ada", "FaceIds": faces[:1], "ClientRequestToken": "t-3"}
    assert users.call("DisassociateFaces", **lost) == users.call("DisassociateFaces", **lost)
    for _ in range(2):
        assert users.call("DeleteUser", UserId="ada", ClientRequestToken="t-4") == {}


def test_a_token_is_another_one_in_a_collection_that_was_created_anew(
    users: Users, rekognition: Rekognition, collection: str
) -> None:
    sent = {"UserId": "ada", "ClientRequestToken": "t-1"}
    users.call("CreateUser", **sent)
    users.call("DeleteCollection")
    users.fail("CreateUser", "ResourceNotFoundException", **sent)
    users.call("CreateCollection")
    users.call("CreateUser", **sent)
    assert users.listed() == {"ada": "CREATED"}
    answer = rekognition.send("CreateUser", {**sent, "UserId": "eve", "CollectionId": collection})
    assert "this ClientRequestToken was sent before" in answer.json()["Message"]


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("CreateUser", {"UserId": "has space"}),
        ("CreateUser", {"UserId": ""}),
        ("CreateUser", {"UserId": "u" * 129}),
        ("CreateUser", {}),
        ("CreateUser", {"UserId": "ada", "ClientRequestToken": "has space"}),
        ("CreateUser", {"UserId": "ada", "ClientRequestToken": "t" * 65}),
        ("ListUsers", {"MaxResults": 0}),
        ("ListUsers", {"MaxResults": 501}),
        ("AssociateFaces", {"UserId": "ada", "FaceIds": []}),
        ("AssociateFaces", {"UserId": "ada", "FaceIds": [UNKNOWN] * 101}),
        ("AssociateFaces", {"UserId": "ada", "FaceIds": ["no-uuid"]}),
        ("AssociateFaces", {"UserId": "ada", "FaceIds": [UNKNOWN], "UserMatchThreshold": 101}),
        ("DisassociateFaces", {"UserId": "ada", "FaceIds": [UNKNOWN] * 101}),
    ],
)
def test_what_breaks_a_constraint_is_refused(
    users: Users, operation: str, body: dict[str, Any]
) -> None:
    users.fail(operation, "InvalidParameterException", **body)


def test_a_caller_without_templates_learns_little_of_similarities(
    with_settings: Callable[..., TestClient], users: Users, collection: str, faces: list[str]
) -> None:
    users.add("ada", faces[0])
    veiled = Users(Rekognition(with_settings(exact_similarities=False)), collection)
    limit = Settings().limits.searches_per_person
    for _ in range(limit + 1):
        done = veiled.call("AssociateFaces", UserId="ada", FaceIds=faces[3:])
        (refused,) = done["UnsuccessfulFaceAssociations"]
        assert refused == {"FaceId": faces[3], "Reasons": ["LOW_MATCH_CONFIDENCE"]}
    chosen = {"UserId": "ada", "FaceIds": faces[3:], "UserMatchThreshold": 90}
    for _ in range(limit):
        veiled.call("AssociateFaces", **chosen)
    veiled.fail("AssociateFaces", "ProvisionedThroughputExceededException", **chosen)
