"""What tests of users share."""

from base64 import b64encode
from typing import Any

from fastapi.testclient import TestClient

from app.compat.rekognition.schemas.base import wire_id
from tests.api.conftest import photo
from tests.api.people import Values, enroll_all
from tests.compat.rekognition.signer import Rekognition


class Users:
    """Calls the operations on one collection."""

    def __init__(self, rekognition: Rekognition, collection: str) -> None:
        self._rekognition = rekognition
        self._collection = collection

    def call(self, operation: str, **body: Any) -> dict[str, Any]:
        return self._rekognition.call(operation, CollectionId=self._collection, **body)

    def fail(self, operation: str, kind: str, **body: Any) -> str:
        return self._rekognition.fail(operation, kind, CollectionId=self._collection, **body)

    def listed(self, **body: Any) -> dict[str, str]:
        """Status by id of the user."""
        users = self.call("ListUsers", **body)["Users"]
        return {user["UserId"]: user["UserStatus"] for user in users}

    def add(self, user_id: str, *face_ids: str) -> None:
        """Create a user, and associate faces that need not be alike."""
        self.call("CreateUser", UserId=user_id)
        if face_ids:
            sent = {"FaceIds": list(face_ids), "UserMatchThreshold": 0}
            self.call("AssociateFaces", UserId=user_id, **sent)


def enroll_free(client: TestClient, collection: str, *embeddings: Values) -> list[str]:
    """Enroll faces without a user; their ids, in order."""
    person = {"embeddings": list(embeddings), "force": True}
    (gone,) = enroll_all(client, collection, person)
    url = f"/v1/collections/{collection}/identities/{gone}"
    kept = client.get(f"{url}/faces").json()["faces"]
    assert client.delete(url, params={"keep_faces": True}).status_code == 200
    return [wire_id(face["id"]) for face in kept]


def sent_photo(name: str) -> dict[str, str]:
    return {"Bytes": b64encode(photo(name)).decode()}
