"""While the queue is full, photos are refused before they are read."""

import pytest
from fastapi.testclient import TestClient

from app.errors import Overloaded
from tests.api.conftest import image, problem


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_scheduler: object, _caller: str) -> None:
        raise Overloaded("full")

    monkeypatch.setattr("app.recognition.scheduler.Scheduler.require_place", refuse)


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize(
    "path",
    [
        "/v1/detect",
        "/v1/quality",
        "/v1/embed",
        "/v1/embed:batch",
        "/v1/verify",
        "/v1/collections/default/identify",
        "/v1/collections/default/identify:batch",
    ],
)
def test_photos_are_refused_unread(client: TestClient, path: str) -> None:
    # A body that would be 415 if anybody looked at it.
    refused = client.post(path, content=b"?", headers={"content-type": "text/plain"})
    problem(refused, 503, "overloaded")
    assert int(refused.headers["retry-after"]) >= 1


@pytest.mark.usefixtures("full")
def test_what_needs_no_photo_is_answered(client: TestClient) -> None:
    url = "/v1/collections/default"
    assert client.get(url).status_code == 200
    assert client.post(f"{url}/search", json={"embedding": [1.0] * 128}).status_code == 200
    assert client.post(f"{url}/identities", json={"name": "nobody yet"}).status_code == 201
    assert client.get("/readyz").status_code == 200


def test_with_places_left_photos_are_taken(client: TestClient) -> None:
    assert client.post("/v1/detect", files=image("coffee")).status_code == 200
