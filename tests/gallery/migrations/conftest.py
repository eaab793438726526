"""Databases without tables: the tests of migrations make them."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.gallery.store.database import Database
from tests.kit.postgres import drop_tables_of_postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database of each kind, without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'gallery.db'}"
        return
    url: str = request.getfixturevalue("bare_postgres_url")
    yield url
    drop_tables_of_postgres(url)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database of each kind, after all migrations."""
    with closing(Database(database_url, timeout_s=60)) as made:
        made.upgrade()
        yield made
