"""A service with keys, which the tests of several APIs share."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.services import build_services
from app.settings import Settings


@pytest.fixture(scope="session")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service with keys; the client itself sends none."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("keyed"), device="cpu", api_keys="key")
    with TestClient(create_app(settings, build_services(settings))) as started:
        yield started


@pytest.fixture(scope="session")
def admin(keyed: TestClient) -> TestClient:
    """A client of the same service, with the key of an admin."""
    return TestClient(keyed.app, headers={"x-api-key": "key"})
