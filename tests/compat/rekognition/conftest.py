"""A service that demands keys, and pairs for it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.compat.rekognition.signer import Pair, Rekognition
from tests.compat.rekognition.user_calls import Users

MakePair = Callable[..., Pair]


@pytest.fixture
def rekognition(client: TestClient) -> Rekognition:
    """Calls operations of a service without keys."""
    return Rekognition(client)


@pytest.fixture
def users(rekognition: Rekognition, collection: str) -> Users:
    return Users(rekognition, collection)


@pytest.fixture(scope="package")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service that demands keys. Its client sends none."""
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("keyed"),
        device="cpu",
        api_keys="key",
        limits={"max_request_bytes": 200_000},
        threads=1,
    )
    with TestClient(create_app(settings)) as started:
        yield started


@pytest.fixture(scope="package")
def new_key(keyed: TestClient) -> Callable[..., dict[str, Any]]:
    """Make a key with a pair, and return the answer."""

    def make(**fields: Any) -> dict[str, Any]:
        body = {"name": "of a test", "role": "admin", "aws": True, **fields}
        answer = keyed.post("/v1/keys", json=body, headers={"x-api-key": "key"})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    return make


def pair_in(made: dict[str, Any]) -> Pair:
    return Pair(made["aws"]["access_key_id"], made["aws"]["secret_access_key"])


@pytest.fixture(scope="package")
def admin(keyed: TestClient, new_key: Callable[..., dict[str, Any]]) -> Rekognition:
    """Calls operations by a pair of an admin."""
    return Rekognition(keyed, pair_in(new_key()))
