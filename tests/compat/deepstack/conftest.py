"""A service whose keys stand for collections, and callers who speak DeepStack to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from tests.api.conftest import photo
from tests.kit.api_keys import new_key


@dataclass(frozen=True)
class Speaker:
    """Sends forms to the paths below /v1/vision/face, with the fields that it has by itself."""

    client: TestClient
    own: Mapping[str, str] = field(default_factory=dict)
    collection: str = "default"

    def post(self, path: str, *photos: str, **fields: str) -> Response:
        """Send photos by name (see `tests.api.conftest.photo`) as `image1`, `image2`, ..."""
        files = [
            (f"image{number}", (f"{name}.jpg", photo(name)))
            for number, name in enumerate(photos, start=1)
        ]
        data = {**self.own, **fields}
        return self.client.post(f"/v1/vision/face{path}", data=data, files=files)

    def register(self, userid: str, *photos: str) -> None:
        answer = self.post("/register", *photos, userid=userid)
        assert answer.status_code == 200, answer.text

    def userids(self, *photos: str, **fields: str) -> list[str]:
        """Those of the faces of a photo, largest first."""
        answer = self.post("/recognize", *photos, **fields).json()
        return [found["userid"] for found in answer["predictions"]]

    def listed(self) -> list[str]:
        faces: list[str] = self.post("/list").json()["faces"]
        return faces


@pytest.fixture
def speaker(keyed: TestClient, admin: TestClient) -> Speaker:
    """A caller whose key is for an empty collection."""
    name = f"test-{uuid4().hex[:12]}"
    assert admin.post("/v1/collections", json={"name": name}).status_code == 201
    _, header = new_key(admin, role="integrator", collections=[name])
    return Speaker(keyed, {"api_key": header["x-api-key"]}, name)
