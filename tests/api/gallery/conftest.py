"""Tests of what depends on SQL run on SQLite and on PostgreSQL."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.services import build_services
from app.settings import Settings
from tests.kit.postgres import new_postgres_database

CROPS_KEY = b64encode(bytes(range(32))).decode()
"""By which `postgres_client` and `client_with_key` encrypt crops."""

sqlite_only = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
"""For what never reaches SQL, and for what `tests/gallery` tests on both databases."""


@pytest.fixture(scope="session")
def postgres_client(
    postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """The whole application on a PostgreSQL database of its own, started once."""
    with new_postgres_database(postgres_server) as url:
        settings = Settings(
            data_dir=tmp_path_factory.mktemp("postgres"),
            database_url=url,
            device="cpu",
            crops_key=CROPS_KEY,
            exact_similarities=True,
        )
        with TestClient(create_app(settings, build_services(settings))) as started:
            yield started


def service_with_key(data_dir: Path, key: str) -> TestClient:
    """A service on SQLite with a key for crops; it starts when it is entered."""
    settings = Settings(data_dir=data_dir, device="cpu", crops_key=key)
    return TestClient(create_app(settings, build_services(settings)))


@pytest.fixture(scope="session")
def data_dir_with_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of `client_with_key`."""
    return tmp_path_factory.mktemp("crops")


@pytest.fixture(scope="session")
def sqlite_client_with_key(data_dir_with_key: Path) -> Iterator[TestClient]:
    with service_with_key(data_dir_with_key, CROPS_KEY) as started:
        yield started


@pytest.fixture
def client_with_key(kind: str, request: pytest.FixtureRequest) -> TestClient:
    """A service with a key for crops, on either database."""
    name = "sqlite_client_with_key" if kind == "sqlite" else "postgres_client"
    started: TestClient = request.getfixturevalue(name)
    return started


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    parameter: str = request.param
    return parameter


@pytest.fixture
def client(kind: str, request: pytest.FixtureRequest, client: TestClient) -> TestClient:
    """The application on either database."""
    if kind == "sqlite":
        return client
    started: TestClient = request.getfixturevalue("postgres_client")
    return started
