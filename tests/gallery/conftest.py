"""Galleries on a migrated, empty database of each kind."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from app.gallery.database import Database
from app.gallery.service import Gallery
from tests.gallery.factories import new_gallery

Connect = Callable[..., Database]
"""Connects once more to the test's database; `timeout_s` is 10 if not given."""

OpenGallery = Callable[..., Gallery]
"""Takes the options of `new_gallery`; stands for a process that starts on the database."""


@pytest.fixture(scope="session")
def postgres_database(postgres_server: str) -> Iterator[str]:
    """URL of a database on the server, for all the tests here."""
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
def connect(database_url: str) -> Iterator[Connect]:
    with ExitStack() as stack:

        def connect_once(*, timeout_s: float = 10) -> Database:
            database = Database(database_url, timeout_s=timeout_s)
            stack.callback(database.close)
            return database

        yield connect_once


@pytest.fixture
def open_gallery(connect: Connect, database: Database) -> OpenGallery:  # noqa: ARG001
    """Every gallery from here has connections and an index of its own, as a process would."""

    def open_one(**options: object) -> Gallery:
        gallery = new_gallery(connect(), **options)  # type: ignore[arg-type]
        gallery.open()
        return gallery

    return open_one


@pytest.fixture
def gallery(open_gallery: OpenGallery) -> Gallery:
    return open_gallery()
