"""Fixtures: the real networks, real databases and a real application."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import settings as hypothesis_settings

from app.gallery.keys.opening import settings_keys_of
from app.gallery.store.database import Database
from app.main import create_app
from app.observe.acting import acting, actor
from app.recognition.build import build_recognizer, load_configured_network
from app.recognition.pipeline import Recognizer
from app.services import build_services
from app.settings import Settings
from models.zoo.network import Network
from models.zoo.registry import DLIB_RESNET, LoadOptions, load_network
from tests.kit.garbage import pass_over_what_was_imported
from tests.kit.postgres import empty_postgres, make_careless, new_postgres_database, postgres_server
from tests.kit.shared_statements import shared_statements

# The same examples in every run, however slow the machine is.
hypothesis_settings.register_profile("vultus", deadline=None, derandomize=True)
hypothesis_settings.load_profile("vultus")


def pytest_collection_finish() -> None:
    """All modules are imported."""
    pass_over_what_was_imported()


@pytest.fixture(scope="session", autouse=True)
def _only_our_settings() -> Iterator[None]:
    """A developer's own VULTUS_ variables and .env file must not leak into the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("VULTUS_")]:
            if not name.startswith("VULTUS_TEST_"):
                patch.delenv(name)
        patch.setitem(Settings.model_config, "env_file", None)
        # The names of FastAPI's client for tests, and of the console's without TLS.
        patch.setenv("VULTUS_HOSTS", "testserver,vultus.test")
        yield


_SERVICE = actor()


@pytest.fixture(autouse=True)
def _the_service_acts() -> Iterator[None]:
    """A command that another test ran in this process acts as a user for the rest of it."""
    with acting(_SERVICE):
        yield


@pytest.fixture(scope="session", autouse=True)
def _shipped_networks_loaded_once() -> Iterator[None]:
    """Each command and each service of the tests would load the same network anew."""
    loaded: dict[tuple[str, LoadOptions], Network] = {}

    def load_once(name: str, options: LoadOptions) -> Network:
        if name not in (DLIB_RESNET.name, "sface") or options.weights_path is not None:
            return load_network(name, options)
        key = (name, replace(options, weights_dir=Path()))  # their weights ship with packages
        if key not in loaded:
            loaded[key] = load_network(name, options)
        return loaded[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.recognition.build.load_network", load_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def _statements_compiled_once() -> Iterator[None]:
    """Each database of the tests would compile the same statements anew."""
    with shared_statements():
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


@pytest.fixture(scope="session", name="postgres_server")
def _postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL: VULTUS_TEST_DATABASE_URL, or one started here from a package."""
    with postgres_server() as server:
        if server.packaged:
            make_careless(server.url)
        yield server.url


@pytest.fixture(scope="session")
def bare_postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of a PostgreSQL database without tables, for the tests of migrations."""
    with new_postgres_database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of a PostgreSQL database that is migrated once, for all other tests."""
    with new_postgres_database(postgres_server) as url:
        with closing(Database(url, timeout_s=60)) as database:
            database.upgrade()
        yield url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite database. A copy takes a tenth of the time of the migrations."""
    path = tmp_path_factory.mktemp("migrated") / "gallery.db"
    with closing(Database(f"sqlite:///{path}", timeout_s=10)) as database:
        database.upgrade()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a migrated database of each kind, without rows."""
    if request.param == "sqlite":
        path = tmp_path / "gallery.db"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
        yield f"sqlite:///{path}"
        return
    url: str = request.getfixturevalue("migrated_postgres_url")
    yield url
    empty_postgres(url)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated database of each kind, without rows."""
    with closing(Database(database_url, timeout_s=60)) as made:
        yield made


@pytest.fixture(scope="session")
def application(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    # Tests compare similarities; tests/api/test_templates.py is about those that are withheld.
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("data"), device="cpu", exact_similarities=True
    )
    return create_app(settings, build_services(settings))


@pytest.fixture(scope="session")
def client(application: FastAPI) -> Iterator[TestClient]:
    """The whole application on SQLite, started once. Tests keep to a `collection` of their own."""
    with TestClient(application) as started:
        yield started


@pytest.fixture
def with_settings(client: TestClient, application: FastAPI) -> Callable[..., TestClient]:
    """The started service behind an application with other settings."""

    def make(**settings: Any) -> TestClient:
        services = application.state.services
        given = Settings(**settings)
        changed = services.settings.model_copy(
            update={name: getattr(given, name) for name in settings}
        )
        other = replace(services, settings=changed, settings_keys=settings_keys_of(changed))
        return TestClient(create_app(changed, other), follow_redirects=False)

    assert client  # has started the services
    return make


@pytest.fixture
def collection(client: TestClient) -> str:
    """The name of an empty collection."""
    name = f"test-{uuid4().hex[:12]}"
    assert client.post("/v1/collections", json={"name": name}).status_code == 201
    return name
