"""What the tests of the API share."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from app.constants import Constants
from app.main import create_app
from app.services import build_services
from app.settings import Settings
from tests.kit import photos

Enroll = Callable[..., Response]


@cache
def photo(name: str) -> bytes:
    """A photo file by name: astronaut, astronaut_again, hopper, hopper_again, group, coffee."""
    made = {
        "astronaut": photos.astronaut,
        "astronaut_again": lambda: photos.another_photo(photos.astronaut()),
        "hopper": photos.hopper,
        "hopper_again": lambda: photos.another_photo(photos.hopper()),
        "group": photos.group,
        "coffee": photos.coffee,
    }[name]()
    return photos.encoded(made)


def images(*names: str) -> list[tuple[str, tuple[str, bytes]]]:
    """Multipart files under `images`."""
    return [("images", (f"{name}.jpg", photo(name))) for name in names]


def image(name: str, field: str = "image") -> dict[str, tuple[str, bytes]]:
    return {field: (f"{name}.jpg", photo(name))}


@pytest.fixture
def enroll(client: TestClient, collection: str) -> Enroll:
    """Enroll photos by name into the test's collection."""

    def post(*names: str, **fields: Any) -> Response:
        return client.post(
            f"/v1/collections/{collection}/identities", data=fields, files=images(*names)
        )

    return post


@pytest.fixture(scope="session")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service that wants an API key (sent by the client), waits for little and keeps little.

    Tests keep to a collection of their own.
    """
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("tight"),
        device="cpu",
        api_keys="key",
        limits={"max_request_bytes": 200_000, "max_waiting": 1},
        threads=1,
    )
    constants = Constants(max_wait_s=0.05, sweep_every_s=0.05, terminal_people=2)
    app = create_app(settings, build_services(settings, constants=constants))
    with TestClient(app, headers={"x-api-key": "key"}) as started:
        yield started


def problem(response: Response, status: int, code: str) -> dict[str, Any]:
    """The problem of a response, after a look at its form."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["code"] == code
    assert body["type"] == f"urn:vultus:problem:{code}"
    assert body["request_id"] == response.headers["x-request-id"]
    assert body["title"]
    assert body["detail"]
    return body
