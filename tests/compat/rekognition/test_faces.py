"""ListFaces and DeleteFaces, of users and of anonymous people."""

import hashlib
import re
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from app.compat.rekognition.schemas.base import ID, wire_id
from app.gallery.records import image_id
from tests.api.conftest import images, photo
from tests.compat.rekognition.signer import Rekognition

_UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def faces(client: TestClient, collection: str) -> dict[str, str]:
    """Ids on the wire: of a face of the user `ada`, and of one without a user."""

    def enrolled(name: str, **fields: str) -> str:
        done = client.post(
            f"/v1/collections/{collection}/identities", data=fields, files=images(name)
        )
        face_id: str = done.json()["faces"][0]["id"]
        return wire_id(face_id)

    return {
        "ada": enrolled("astronaut", external_id="ada"),
        "nobody": enrolled("hopper", anonymous="true"),
    }


def _ids(output: dict[str, Any]) -> list[str]:
    return [face["FaceId"] for face in output["Faces"]]


def test_a_listed_face_has_what_is_known_of_it(
    rekognition: Rekognition, collection: str, faces: dict[str, str]
) -> None:
    output = rekognition.call("ListFaces", CollectionId=collection)
    ada, nobody = output["Faces"]
    assert (ada["FaceId"], nobody["FaceId"]) == (faces["ada"], faces["nobody"])
    assert ada["UserId"] == "ada"
    assert "UserId" not in nobody
    assert re.fullmatch(ID, ada["FaceId"])
    assert ada["ImageId"] == image_id(hashlib.sha256(photo("astronaut")).hexdigest())
    assert UUID(ada["ImageId"]).version == 5
    assert 50 < ada["Confidence"] <= 100
    assert 0 < ada["BoundingBox"]["Width"] < 1
    assert ada["IndexFacesModelVersion"] == output["FaceModelVersion"]
    seen = rekognition.call("DescribeCollection", CollectionId=collection)
    assert (seen["FaceCount"], seen["UserCount"]) == (2, 1)


def test_both_filters_narrow_a_list_which_comes_in_pages(
    rekognition: Rekognition, collection: str, faces: dict[str, str]
) -> None:
    def listed(**filters: Any) -> list[str]:
        return _ids(rekognition.call("ListFaces", CollectionId=collection, **filters))

    assert listed(UserId="ada") == [faces["ada"]]
    assert listed(FaceIds=[faces["nobody"], _UNKNOWN]) == [faces["nobody"]]
    rekognition.fail("ListFaces", "ResourceNotFoundException", CollectionId=collection, UserId="b")
    assert listed(UserId="ada", FaceIds=[faces["nobody"]]) == []
    first = rekognition.call("ListFaces", CollectionId=collection, MaxResults=1)
    assert _ids(first) == [faces["ada"]]
    rest = rekognition.call("ListFaces", CollectionId=collection, NextToken=first["NextToken"])
    assert _ids(rest) == [faces["nobody"]]
    assert "NextToken" not in rest
    rekognition.fail(
        "ListFaces", "InvalidPaginationTokenException", CollectionId=collection, NextToken="?"
    )


def test_faces_of_users_stay_and_each_face_has_its_outcome(
    rekognition: Rekognition, collection: str, faces: dict[str, str]
) -> None:
    output = rekognition.call(
        "DeleteFaces", CollectionId=collection, FaceIds=[faces["ada"], _UNKNOWN, faces["nobody"]]
    )
    assert output["DeletedFaces"] == [faces["nobody"]]
    assert output["UnsuccessfulFaceDeletions"] == [
        {
            "FaceId": faces["ada"],
            "UserId": "ada",
            "Reasons": ["ASSOCIATED_TO_AN_EXISTING_USER"],
        },
        {"FaceId": _UNKNOWN, "Reasons": ["FACE_NOT_FOUND"]},
    ]
    assert _ids(rekognition.call("ListFaces", CollectionId=collection)) == [faces["ada"]]
    # The model demands one item at least; programs that read the list expect it to be there.
    output = rekognition.call("DeleteFaces", CollectionId=collection, FaceIds=[_UNKNOWN])
    assert output["DeletedFaces"] == []


@pytest.mark.parametrize(("operation", "body"), [("ListFaces", {}), ("DeleteFaces", [_UNKNOWN])])
def test_a_collection_that_is_not_there(
    rekognition: Rekognition, operation: str, body: Any
) -> None:
    more = {"FaceIds": body} if body else {}
    rekognition.fail(operation, "ResourceNotFoundException", CollectionId="none.such", **more)
