"""What is tested here is tested on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text

from app.main import create_app
from app.services import Services
from app.settings import Settings


@pytest.fixture(scope="session")
def postgres_client(
    postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """The whole application on a PostgreSQL database of its own, started once."""
    name = f"api_{uuid4().hex}"
    admin = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("postgres"),
        database_url=admin.url.set(database=name).render_as_string(hide_password=False),
        device="cpu",
    )
    with TestClient(create_app(settings, Services.build(settings))) as started:
        yield started
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


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
