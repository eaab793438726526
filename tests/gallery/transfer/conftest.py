"""A gallery to export; imports go to a `database` of each kind."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from app.gallery.store.database import Database
from app.gallery.transfer.exporter import export_gallery
from tests.gallery.transfer.galleries import fill

NewDatabase = Callable[[], Database]
"""Makes one more SQLite database, migrated and empty."""

_EMPTY, _FULL, _ARCHIVE, _MANY = "empty.db", "full.db", "gallery.zip", "many.zip"


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that are copied for each test: making them takes far longer."""
    folder = tmp_path_factory.mktemp("templates")
    with closing(_connect(folder / _EMPTY)) as empty:
        empty.upgrade()
    shutil.copy(folder / _EMPTY, folder / _FULL)
    with closing(_connect(folder / _FULL)) as full:
        fill(full)
        export_gallery(full, folder / _ARCHIVE)
    shutil.copy(folder / _EMPTY, folder / "many.db")
    with closing(_connect(folder / "many.db")) as many:
        fill(many, copies=5)
        export_gallery(many, folder / _MANY)
    return folder


@pytest.fixture
def new_database(templates: Path, tmp_path: Path) -> Iterator[NewDatabase]:
    with ExitStack() as stack:
        made: list[Database] = []

        def make() -> Database:
            path = tmp_path / f"other-{len(made)}.db"
            made.append(stack.enter_context(closing(_copied(templates / _EMPTY, path))))
            return made[-1]

        yield make


@pytest.fixture
def source(templates: Path, tmp_path: Path) -> Iterator[Database]:
    """Has somebody of every kind in it."""
    with closing(_copied(templates / _FULL, tmp_path / "source.db")) as database:
        yield database


@pytest.fixture
def archive(templates: Path, tmp_path: Path) -> Path:
    """What `source` was exported to."""
    return Path(shutil.copy(templates / _ARCHIVE, tmp_path / "gallery.zip"))


@pytest.fixture
def many(templates: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive that takes an import of a few people at once."""
    monkeypatch.setattr("app.gallery.transfer.importer._PEOPLE_AT_ONCE", 4)
    return templates / _MANY


def _copied(template: Path, path: Path) -> Database:
    return _connect(Path(shutil.copy(template, path)))


def _connect(path: Path) -> Database:
    return Database(f"sqlite:///{path}", timeout_s=10)
