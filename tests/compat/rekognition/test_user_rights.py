"""Users by keys: each operation demands its right, and reads of people are in the audit log."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from tests.compat.rekognition.conftest import pair_in
from tests.compat.rekognition.signer import Rekognition

_FACE = str(uuid4())
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


def test_reads_of_users_are_in_the_audit_log_where_the_collection_asks_for_it(
    admin: Rekognition, keyed: TestClient
) -> None:
    key = {"x-api-key": "key"}
    admin.call("CreateCollection", CollectionId="audited")
    body = {"options": {"audit": {"reads": True}}}
    assert keyed.patch("/v1/collections/audited", json=body, headers=key).status_code == 200
    admin.call("ListUsers", CollectionId="audited")
    keyed.app.state.services.reads.flush()  # type: ignore[attr-defined]
    page = keyed.get("/v1/audit?collection=audited&action=identities.listed", headers=key).json()
    assert len(page["lines"]) == 1
