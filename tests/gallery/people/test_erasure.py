"""Receipts tell what was deleted; a compacted deletion leaves no trace in the database's files."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.errors import CollectionExists, CollectionNotFound, FaceNotFound, IdentityNotFound
from app.gallery.gallery import Gallery
from app.gallery.records import Erasure, Face, NewIdentity
from app.gallery.store.database import Database
from app.gallery.store.remains import Where, is_compacted
from app.gallery.store.tables import FaceTable
from app.recognition.types import Embedding, ModelId
from tests.gallery.conftest import Connect, OpenGallery, sqlite_only
from tests.gallery.factories import (
    COLLECTION,
    count_rows,
    enroll,
    found_ids,
    new_face,
    new_gallery,
    unit_vector,
    unit_vectors,
)
from tests.kit.exact_index import ExactIndex

PROBE = unit_vector(1)


def told(receipt: Erasure) -> tuple[object, ...]:
    """All but the moment, which is now."""
    assert receipt.erased_at.tzinfo is UTC
    assert abs(datetime.now(UTC) - receipt.erased_at) < timedelta(minutes=1)
    return (
        receipt.collection,
        set(receipt.identity_ids),
        set(receipt.face_ids),
        receipt.identity_count,
        receipt.face_count,
        receipt.revision,
    )


def test_receipt_of_a_person_names_them_and_their_faces(gallery: Gallery) -> None:
    enroll(gallery, -PROBE)
    identity, faces = enroll(gallery, PROBE, *unit_vectors(3, seed=2))
    receipt = gallery.people.delete(COLLECTION, identity.id)
    assert told(receipt) == (COLLECTION, {identity.id}, set(faces), 1, 4, 3)
    assert gallery.collections.get(COLLECTION).revision == 3
    without_face, _ = enroll(gallery)
    receipt = gallery.people.delete(COLLECTION, without_face.id)
    assert told(receipt) == (COLLECTION, {without_face.id}, set(), 1, 0, 5)


@sqlite_only
def test_receipt_of_a_face_names_the_face_alone(gallery: Gallery) -> None:
    identity, (face_id, _) = enroll(gallery, PROBE, -PROBE)
    receipt = gallery.faces.delete(COLLECTION, identity.id, face_id)
    assert told(receipt) == (COLLECTION, set(), {face_id}, 0, 1, 2)


def test_receipt_of_a_collection_counts(gallery: Gallery) -> None:
    gallery.collections.create("staff", None)
    enroll(gallery, PROBE)
    for count in range(3):
        enroll(gallery, *unit_vectors(count, seed=2), collection="staff")
    receipt = gallery.collections.delete("staff")
    assert told(receipt) == ("staff", set(), set(), 3, 3, 4)
    receipt = gallery.collections.delete(COLLECTION)
    assert told(receipt) == (COLLECTION, set(), set(), 1, 1, 2)


@sqlite_only
def test_receipt_of_a_sweep_names_the_expired(gallery: Gallery) -> None:
    now = datetime.now(UTC)
    gone, (face,) = gallery.people.enroll(
        COLLECTION, NewIdentity(expires_at=now), [new_face(PROBE)]
    )
    assert isinstance(face, Face)
    (receipt,) = gallery.people.erase_expired(log_revisions=1_000)
    assert told(receipt) == (COLLECTION, {gone.id}, {face.id}, 1, 1, 2)


@sqlite_only
def test_no_receipt_for_what_is_not_there(gallery: Gallery) -> None:
    identity, _ = enroll(gallery, PROBE)
    refused: list[tuple[type[Exception], Callable[[], object]]] = [
        (IdentityNotFound, lambda: gallery.people.delete(COLLECTION, "x", compact=True)),
        (FaceNotFound, lambda: gallery.faces.delete(COLLECTION, identity.id, "x", compact=True)),
        (CollectionNotFound, lambda: gallery.collections.delete("x", compact=True)),
    ]
    for error, delete in refused:
        with pytest.raises(error):
            delete()
    assert gallery.collections.get(COLLECTION).revision == 1
    assert found_ids(gallery, PROBE) == [identity.id]


WAYS = ("face", "identity", "collection")
each_way = pytest.mark.parametrize("what", WAYS)


def delete(gallery: Gallery, what: str, ids: tuple[str, str], *, compact: bool) -> Erasure:
    identity_id, face_id = ids
    if what == "face":
        return gallery.faces.delete("staff", identity_id, face_id, compact=compact)
    if what == "identity":
        return gallery.people.delete("staff", identity_id, compact=compact)
    return gallery.collections.delete("staff", compact=compact)


def enroll_staff(gallery: Gallery, *embeddings: Embedding) -> tuple[str, str]:
    with suppress(CollectionExists):
        gallery.collections.create("staff", None)
    identity, faces = enroll(gallery, *embeddings, collection="staff")
    return identity.id, next(iter(faces))


def test_deletion_is_compacted_if_asked_for_and_only_then(gallery: Gallery) -> None:
    has_log = gallery.store.database.dialect == "postgresql"  # which its server keeps for a while
    for what in WAYS:
        for compact in (False, True):
            ids = enroll_staff(gallery, PROBE, -PROBE)
            receipt = delete(gallery, what, ids, compact=compact)
            assert receipt.compacted is (compact and not has_log)
            assert receipt.remains is not None
            places = {one.where for one in receipt.remains}
            assert places & {Where.DEAD_ROWS, Where.SQLITE_LOG} == (
                set() if compact else {Where.DEAD_ROWS if has_log else Where.SQLITE_LOG}
            )
            assert PROBE.tobytes() not in all_embeddings(gallery)


def all_embeddings(gallery: Gallery) -> set[bytes]:
    with gallery.store.database.reading() as session:
        return set(session.scalars(select(FaceTable.embedding)))


def holds(folder: Path, embedding: Embedding) -> bool:
    """Whether any part of it is in the files of an SQLite database."""
    contents = [path.read_bytes() for path in folder.iterdir() if path.is_file()]
    assert len(contents) == 3  # the database, its log and the log's index
    data = embedding.tobytes()
    pieces = [data[start : start + 64] for start in range(0, len(data), 64)]
    return any(piece in content for piece in pieces for content in contents)


@each_way
@sqlite_only
@pytest.mark.parametrize("dimension", [128, 4096], ids=["in the row", "over several pages"])
def test_compacted_deletion_leaves_nothing_in_the_files(
    open_gallery: OpenGallery, tmp_path: Path, what: str, dimension: int
) -> None:
    gallery = open_gallery(model=ModelId("wide-net", "c" * 64, dimension))
    secret, kept = (unit_vector(seed, dimension=dimension) for seed in (1, 2))
    enroll(gallery, kept)
    ids = enroll_staff(gallery, secret)
    assert holds(tmp_path, secret)
    assert delete(gallery, what, ids, compact=True).compacted
    assert not holds(tmp_path, secret)
    assert holds(tmp_path, kept)


@sqlite_only
def test_sweep_leaves_nothing_of_the_expired_in_the_files(gallery: Gallery, tmp_path: Path) -> None:
    enroll(gallery, -PROBE)
    gallery.people.enroll(COLLECTION, NewIdentity(expires_at=datetime.now(UTC)), [new_face(PROBE)])
    assert holds(tmp_path, PROBE)
    gallery.people.erase_expired(log_revisions=1_000)
    assert not holds(tmp_path, PROBE)
    assert holds(tmp_path, -PROBE)


class Compacted(ExactIndex):
    times = 0

    def compact(self) -> None:
        type(self).times += 1


@sqlite_only
def test_index_is_compacted_with_the_database(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(make_index=Compacted)
    for what, compact, times in (
        ("face", False, 0),
        ("face", True, 1),
        ("identity", False, 1),
        ("identity", True, 2),
    ):
        delete(gallery, what, enroll_staff(gallery, PROBE), compact=compact)
        assert Compacted.times == times


@sqlite_only
def test_deletion_that_a_reader_keeps_from_being_compacted_says_so(
    connect: Connect, open_gallery: OpenGallery
) -> None:
    reader = open_gallery().store.database
    impatient = new_gallery(connect(timeout_s=0.2))
    ids = enroll_staff(impatient, PROBE)
    with reader.reading() as session:
        session.connection().exec_driver_sql("SELECT count(*) FROM faces").all()
        receipt = delete(impatient, "identity", ids, compact=True)
        assert (receipt.identity_count, receipt.compacted) == (1, False)
    assert is_compacted(impatient.store.database.compact())


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_compacted_deletion_leaves_no_dead_row(gallery: Gallery, database: Database) -> None:
    ids = enroll_staff(gallery, PROBE)
    delete(gallery, "identity", ids, compact=True)
    with database.engine.connect() as connection:
        pages = connection.exec_driver_sql(
            "SELECT sum(pg_relation_size(name)) FROM unnest(ARRAY['faces', 'identities']) AS name"
        ).scalar()
    assert pages == 0  # emptied tables are cut down to nothing


def test_deleting_everything_leaves_no_personal_row(gallery: Gallery, database: Database) -> None:
    ids = enroll_staff(gallery, PROBE)
    gallery.search.remember("staff", "door", [ids[0]], most=10)
    delete(gallery, "collection", ids, compact=True)
    rows = count_rows(database)
    assert (rows["identities"], rows["faces"], rows["changes"]) == (0, 0, 0)
