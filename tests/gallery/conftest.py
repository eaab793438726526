"""Galleries on a migrated, empty database of each kind."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from sqlalchemy import event

from app.gallery.gallery import Gallery
from app.gallery.journal.journal import Journal
from app.gallery.store.database import Database
from app.gallery.store.repositories.face_repository import FaceRepository
from app.gallery.sync.snapshots import SnapshotStore
from tests.gallery.factories import new_gallery
from tests.gallery.journal.required_lines import AUDIT_KEY, require_lines

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
postgresql_only = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

Connect = Callable[..., Database]
"""Connects once more to the test's database; `timeout_s` is 60 if not given."""

OpenGallery = Callable[..., Gallery]
"""Takes the options of `new_gallery`; stands for a process that starts on the database."""


@pytest.fixture
def connect(database_url: str) -> Iterator[Connect]:
    with ExitStack() as stack:

        def connect_once(*, timeout_s: float = 60) -> Database:
            database = Database(database_url, timeout_s=timeout_s)
            database.journal = Journal(lambda: AUDIT_KEY)
            require_lines(database)
            stack.callback(database.close)
            return database

        yield connect_once


@pytest.fixture
def open_gallery(connect: Connect, database: Database) -> Iterator[OpenGallery]:  # noqa: ARG001
    """Every gallery from here has connections and an index of its own, as a process would."""
    with ExitStack() as stack:

        def open_one(**options: object) -> Gallery:
            gallery = new_gallery(connect(), **options)  # type: ignore[arg-type]
            stack.callback(gallery.close)
            gallery.open()
            return gallery

        yield open_one


@pytest.fixture
def gallery(open_gallery: OpenGallery) -> Gallery:
    return open_gallery()


@pytest.fixture
def snapshot_folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def open_saved(open_gallery: OpenGallery, snapshot_folder: Path) -> OpenGallery:
    """As `open_gallery`, with snapshots of every collection in one folder for all."""

    def open_one(**options: object) -> Gallery:
        return open_gallery(snapshots=SnapshotStore(snapshot_folder), **options)

    return open_one


@pytest.fixture
def full_reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by the name of a collection whenever all of its embeddings are read from SQL."""
    names: list[str] = []
    embeddings = FaceRepository.embeddings

    def noted(faces: FaceRepository) -> object:
        names.append(faces._collection.name)
        return embeddings(faces)

    monkeypatch.setattr(FaceRepository, "embeddings", noted)
    return names


@pytest.fixture(scope="module")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Database]]:
    """Makes the database new, and its folder empty.

    It is the same all the time: what SQLAlchemy knows of the statements is worth most of the time.
    So is what makes a database outlive a power cut, which is no part of this.
    """
    template = tmp_path_factory.mktemp("template") / "gallery.db"
    with closing(Database(f"sqlite:///{template}", timeout_s=10)) as migrated:
        migrated.upgrade()
    folder = tmp_path_factory.mktemp("machine")
    database = Database(f"sqlite:///{folder / 'gallery.db'}", timeout_s=10)
    event.listen(database.engine, "connect", lambda made, _: made.execute("PRAGMA synchronous=OFF"))

    def new() -> Database:
        database.close()
        shutil.rmtree(folder)
        folder.mkdir()
        shutil.copy(template, folder)
        return database

    yield new
    database.close()
