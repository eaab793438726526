"""Users by keys: each operation demands its right, and reads of people are in the audit log."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from tests.api.people import embedding
from tests.compat.rekognition.conftest import pair_in
from tests.compat.rekognition.signer import Rekognition

_FACE = str(uuid4())
_KEY = {"x-api-key": "key"}
_PHOTO = {"Image": {"Bytes": "AAAA"}}
_NEEDED: dict[str, tuple[str, dict[str, Any]]] = {
    "CreateUser": ("enroll", {"UserId": "ada"}),
    "ListUsers": ("read", {}),
    "AssociateFaces": ("correct", {"UserId": "ada", "FaceIds": [_FACE]}),
    "DisassociateFaces": ("correct", {"UserId": "ada", "FaceIds": [_FACE]}),
    "DeleteUser": ("correct", {"UserId": "ada"}),
    "SearchUsers": ("identify", {"UserId": "ada"}),
    "SearchUsersByImage": ("identify", _PHOTO),
    "SearchFaces": ("identify", {"FaceId": _FACE}),
    "SearchFacesByImage": ("identify", _PHOTO),
}

NewKey = Callable[..., dict[str, Any]]


@pytest.mark.parametrize("right", ["read", "identify", "enroll", "correct"])
def test_each_operation_demands_its_right(keyed: TestClient, new_key: NewKey, right: str) -> None:
    pair = pair_in(new_key(role="custom", rights=[right]))
    caller = Rekognition(keyed, pair)
    for operation, (needed, body) in _NEEDED.items():
        answer = caller.send(operation, {"CollectionId": "default", **body}).json()
        denied = answer.get("__type") == "AccessDeniedException"
        assert denied == (right != needed), f"{operation} by {right}: {answer}"


@pytest.fixture
def audited(admin: Rekognition, keyed: TestClient) -> str:
    """A collection whose reads are in the audit log."""
    name = f"audited-{uuid4().hex[:8]}"
    admin.call("CreateCollection", CollectionId=name)
    body = {"options": {"audit": {"reads": True}}}
    assert keyed.patch(f"/v1/collections/{name}", json=body, headers=_KEY).status_code == 200
    return name


def _actions(keyed: TestClient, collection: str, action: str) -> int:
    keyed.app.state.services.reads.flush()  # type: ignore[attr-defined]
    url = f"/v1/audit?collection={collection}&action={action}"
    return len(keyed.get(url, headers=_KEY).json()["lines"])


def test_reads_of_users_are_in_the_audit_log_where_the_collection_asks_for_it(
    admin: Rekognition, keyed: TestClient, audited: str
) -> None:
    admin.call("ListUsers", CollectionId=audited)
    assert _actions(keyed, audited, "identities.listed") == 1


def test_a_face_that_is_compared_and_not_associated_has_a_line(
    admin: Rekognition, keyed: TestClient, audited: str
) -> None:
    people = [
        {"external_id": "ada", "embeddings": [embedding(1)]},
        {"anonymous": True, "embeddings": [embedding(2)]},
    ]
    lines = "".join(json.dumps(person) + "\n" for person in people)
    url = f"/v1/collections/{audited}/identities:batch"
    headers = {**_KEY, "content-type": "application/x-ndjson"}
    assert keyed.post(url, content=lines, headers=headers).text.count('"enrolled"') == 2
    faces = admin.call("ListFaces", CollectionId=audited)["Faces"]
    free = next(face["FaceId"] for face in faces if "UserId" not in face)
    body = {"CollectionId": audited, "UserId": "ada", "FaceIds": [free]}
    refused = admin.call("AssociateFaces", **body)["UnsuccessfulFaceAssociations"]
    assert refused[0]["Reasons"] == ["LOW_MATCH_CONFIDENCE"]
    assert _actions(keyed, audited, "person.verified") == 1
