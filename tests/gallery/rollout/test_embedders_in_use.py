"""What a gallery's faces are by is known before its schema is."""

from contextlib import closing
from pathlib import Path

import pytest

from app.errors import StartupError
from app.gallery.gallery import Gallery
from app.gallery.rollout.embedders_in_use import EmbeddersInUse, embedders_in_use
from app.gallery.store.database import Database
from tests.gallery.conftest import OpenGallery, sqlite_only
from tests.gallery.factories import MODEL, OTHER_MODEL, enroll, unit_vector
from tests.gallery.migrations.test_upgrade_0002 import migrate
from tests.gallery.unknowns.inboxes import new_inbox, sighting, wants_unknowns

NONE = EmbeddersInUse()


def _in_use(url: str) -> EmbeddersInUse:
    return embedders_in_use(url, timeout_s=10)


def _other(gallery: Gallery, *seeds: int) -> None:
    """People in a collection of the other network."""
    gallery.collections.create("theirs", None)
    for seed in seeds:
        face = unit_vector(seed, dimension=OTHER_MODEL.dimension)
        enroll(gallery, face, collection="theirs")


def test_collections_without_faces_do_not_count(database_url: str, gallery: Gallery) -> None:
    gallery.collections.create("empty", None)
    assert _in_use(database_url) == NONE


def test_faces_count_by_the_embedder_of_their_collection(
    database_url: str, gallery: Gallery
) -> None:
    enroll(gallery, unit_vector(1))
    assert _in_use(database_url) == EmbeddersInUse((MODEL.name,), (MODEL.name,))


def test_unknown_faces_count_as_well(
    database_url: str, database: Database, gallery: Gallery
) -> None:
    """Another embedder would empty the inbox."""
    wants_unknowns(gallery)
    new_inbox(database, gallery).keep("default", [sighting(unit_vector(1))], threshold=0.9)
    assert _in_use(database_url).answering == (MODEL.name,)


def test_the_embedder_of_most_faces_comes_first(
    database_url: str, gallery: Gallery, open_gallery: OpenGallery
) -> None:
    both = open_gallery(model=OTHER_MODEL, next_model=MODEL)
    _other(both, 1, 2)
    enroll(gallery, unit_vector(1))
    assert _in_use(database_url).answering == (OTHER_MODEL.name, MODEL.name)
    enroll(gallery, unit_vector(2))
    enroll(gallery, unit_vector(3))
    assert _in_use(database_url).answering == (MODEL.name, OTHER_MODEL.name)


def test_a_second_embedder_counts_though_it_does_not_answer(
    database_url: str, database: Database, gallery: Gallery
) -> None:
    enroll(gallery, unit_vector(1))
    with database.writing() as session:
        session.connection().exec_driver_sql(
            "UPDATE collections SET second_embedder = 'z', second_digest = 'd'"
        )
    assert _in_use(database_url) == EmbeddersInUse((MODEL.name,), (MODEL.name, "z"))


def test_a_missing_file_has_no_faces_and_is_not_made(tmp_path: Path) -> None:
    assert _in_use(f"sqlite:///{tmp_path / 'none.db'}") == NONE
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_tables_has_no_faces(bare_postgres_url: str, tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    assert _in_use(f"sqlite:///{tmp_path / 'empty.db'}") == NONE
    assert _in_use(bare_postgres_url) == NONE


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photo.db").write_bytes(b"a photo" * 1000)
    with pytest.raises(StartupError, match="not a database"):
        _in_use(f"sqlite:///{tmp_path / 'photo.db'}")


@sqlite_only
def test_faces_that_cannot_be_read_are_faces(
    database_url: str, database: Database, gallery: Gallery
) -> None:
    """A damaged page of theirs must not let the next start take the database for an empty one."""
    enroll(gallery, unit_vector(1))
    gallery.close()
    with closing(Database(database_url, timeout_s=10)) as again:
        with again.reading() as session:
            query = "SELECT rootpage FROM sqlite_schema WHERE tbl_name = 'faces'"
            roots = [row[0] for row in session.connection().exec_driver_sql(query) if row[0]]
        again.checkpoint()
    assert database.file is not None
    with database.file.open("r+b") as file:
        for root in roots:
            file.seek(4096 * (root - 1))
            file.write(b"\xff" * 4096)
    assert _in_use(database_url).answering == (MODEL.name,)


@sqlite_only
def test_a_schema_without_second_embedders_is_read_before_it_is_migrated(
    database_url: str, database: Database, gallery: Gallery
) -> None:
    enroll(gallery, unit_vector(1))
    gallery.close()
    migrate(database, "0005", down=True)
    assert _in_use(database_url) == EmbeddersInUse((MODEL.name,), (MODEL.name,))
