"""Encrypted rows: no path writes in the clear, and a row opens in its place alone."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.errors import (
    CollectionSealed,
    CropUnreadable,
    EmbeddingUnreadable,
    NotExportable,
    StartupError,
)
from app.gallery.gallery import Gallery
from app.gallery.journal.journal import NoJournal
from app.gallery.people.assignment_records import AssignmentRule
from app.gallery.people.enrolment import NewPerson
from app.gallery.people.person_data import FaceParts
from app.gallery.records import CollectionChanges, NewFace, NewIdentity
from app.gallery.rollout.rollouts import Rollouts
from app.gallery.search.nearest_people import PeopleQuery
from app.gallery.store.database import Database
from app.gallery.store.statements.vector_bytes import to_bytes
from app.gallery.store.tables import (
    CollectionTable,
    CropTable,
    FaceTable,
    PersonKeyTable,
    SecondEmbeddingTable,
    UnknownCropTable,
    UnknownFaceTable,
    UnknownGroupKeyTable,
    UnknownGroupTable,
)
from app.gallery.transfer.exporter import export_gallery
from app.gallery.transfer.importer import import_gallery
from app.gallery.unknowns.unknown_inbox import Unknowns
from app.gallery.unknowns.unknown_records import InboxLimits, Sighting
from app.gallery.vault.kept_crops import ClearCrop, Form
from app.gallery.vault.rechecking import recheck
from app.recognition.types import Embedding
from tests.gallery.conftest import Connect, sqlite_only
from tests.gallery.factories import (
    COLLECTION,
    MODEL,
    OTHER_MODEL,
    enroll,
    new_face,
    new_gallery,
    unit_vector,
    unit_vectors,
)
from tests.gallery.vault.vaults import with_masters

KEEP_ALL = {"crops": {"keep": True}, "unknowns": {"keep": True, "crops": True}}
CROP = ClearCrop(b"the picture of a face")
VECTORS = unit_vectors(8, seed=5)

Start = Callable[..., Gallery]


@pytest.fixture
def start(connect: Connect) -> Iterator[Start]:
    """Starts a process with the master key; it reads all embeddings from SQL."""
    with ExitStack() as stack:

        def start_one(**options: object) -> Gallery:
            gallery = new_gallery(with_masters(connect()), **options)  # type: ignore[arg-type]
            stack.callback(gallery.close)
            gallery.open()
            return gallery

        yield start_one


@pytest.fixture
def sealed(start: Start) -> Gallery:
    """A gallery that is encrypted from its beginning, and keeps crops and unknown faces."""
    gallery = start()
    gallery.collections.update(COLLECTION, CollectionChanges(options=KEEP_ALL))
    return gallery


def inbox_of(gallery: Gallery) -> Unknowns:
    limits = InboxLimits(retention_s=1e6, faces=1_000, faces_a_group=10)
    return Unknowns(gallery.store.database, gallery, limits)


def with_crop(vector: Embedding, face_id: str) -> NewFace:
    return replace(new_face(vector), face_id=face_id * 32, sealed_crop=CROP)


def sighting(vector: Embedding, face_id: str) -> Sighting:
    return Sighting(vector, face_id * 64, face_id=face_id * 32, sealed_crop=CROP)


def found(gallery: Gallery, vector: Embedding) -> str | None:
    """The name of who has this very face."""
    query = PeopleQuery(3, datetime.now(UTC))
    ((nearest, *_),) = gallery.search.find(COLLECTION, [vector], query).candidates
    return nearest.identity.name if nearest.similarity > 0.999 else None


def tampering(database: Database) -> AbstractContextManager[Session]:
    """A transaction past the service, as of who has a password of the database."""
    database.journal = NoJournal()
    return database.writing()


def require_nothing_in_the_clear(database: Database) -> None:
    """No column has the first floats of an embedding, or a crop."""
    columns = (
        FaceTable.embedding,
        SecondEmbeddingTable.embedding,
        UnknownFaceTable.embedding,
        UnknownGroupTable.centroid,
        CropTable.sealed,
        UnknownCropTable.sealed,
    )
    with database.reading() as session:
        rows = [data for column in columns for data in session.scalars(select(column))]
    assert rows
    for data in rows:
        assert bytes(CROP) not in data
        assert not any(to_bytes(vector)[:8] in data for vector in VECTORS)


def test_enrolled_people_are_sealed_and_found_by_every_process(
    sealed: Gallery, start: Start
) -> None:
    ada, _ = enroll(sealed, VECTORS[0], VECTORS[1], name="Ada")
    sealed.people.enroll_many(
        COLLECTION,
        [NewPerson(NewIdentity(name=f"person {n}"), (new_face(VECTORS[n]),)) for n in (2, 3)],
    )
    sealed.faces.add(COLLECTION, ada.id, [new_face(VECTORS[4])])
    require_nothing_in_the_clear(sealed.store.database)
    for gallery in (sealed, start()):
        names = [found(gallery, vector) for vector in VECTORS[:5]]
        assert names == ["Ada", "Ada", "person 2", "person 3", "Ada"]


def test_corrections_seal_faces_under_the_key_of_their_new_owner(
    sealed: Gallery, start: Start
) -> None:
    def add(name: str, *faces: NewFace) -> str:
        identity, _ = sealed.people.enroll(COLLECTION, NewIdentity(name=name), faces)
        return identity.id

    ada = add("Ada", with_crop(VECTORS[0], "a"))
    bob = add("Bob", with_crop(VECTORS[1], "b"), with_crop(VECTORS[2], "c"))
    eve = add("Eve", with_crop(VECTORS[3], "d"))
    sealed.corrections.move_face(COLLECTION, "c" * 32, ada)
    sealed.people.delete(COLLECTION, bob)  # and with them the key that sealed the face before
    sealed.corrections.move_face(COLLECTION, "a" * 32, NewIdentity(name="Joe"))
    sealed.corrections.merge(COLLECTION, ada, [eve])
    require_nothing_in_the_clear(sealed.store.database)
    for gallery in (sealed, start()):
        assert [found(gallery, VECTORS[n]) for n in (0, 2, 3)] == ["Joe", "Ada", "Ada"]
        for face_id in ("c", "d"):
            assert gallery.faces.sealed_crop(COLLECTION, ada, face_id * 32) == CROP


def test_faces_that_are_released_and_assigned_open_by_the_keys_of_their_owners(
    sealed: Gallery, start: Start
) -> None:
    """Also after the key of who had them before is gone."""
    faces = [with_crop(VECTORS[0], "a"), with_crop(VECTORS[1], "b"), with_crop(VECTORS[2], "c")]
    ada, _ = sealed.people.enroll(COLLECTION, NewIdentity(name="Ada"), faces)
    bob, _ = sealed.people.enroll(COLLECTION, NewIdentity(name="Bob"), [])
    assignments, rule = sealed.assignments, AssignmentRule(sealed.model.digest)
    assignments.release(COLLECTION, ada.id, ["a" * 32])
    assignments.assign(COLLECTION, bob.id, ["a" * 32], rule)
    assignments.dissolve(COLLECTION, ada.id)
    require_nothing_in_the_clear(sealed.store.database)
    for gallery in (sealed, start()):
        assert [found(gallery, VECTORS[n]) for n in range(3)] == ["Bob", None, None]
        assert gallery.faces.sealed_crop(COLLECTION, bob.id, "a" * 32) == CROP
    assignments.assign(COLLECTION, bob.id, ["b" * 32, "c" * 32], rule)
    assert found(start(), VECTORS[2]) == "Bob"


def test_a_deleted_person_or_face_leaves_no_key_for_it(sealed: Gallery) -> None:
    database = sealed.store.database
    identity, _ = sealed.people.enroll(
        COLLECTION,
        NewIdentity(name="Ada"),
        [with_crop(VECTORS[0], "a"), with_crop(VECTORS[1], "b")],
    )

    def keys() -> list[bytes]:
        with database.reading() as session:
            return list(session.scalars(select(PersonKeyTable.wrapped)))

    before = keys()
    sealed.faces.delete(COLLECTION, identity.id, "a" * 32)
    after = keys()
    assert len(after) == 1
    assert after != before, "the face that is gone was sealed by a key that is gone"
    assert found(sealed, VECTORS[1]) == "Ada"
    assert sealed.faces.sealed_crop(COLLECTION, identity.id, "b" * 32) == CROP
    sealed.people.delete(COLLECTION, identity.id)
    assert keys() == []


def test_unknown_faces_are_sealed_by_group_and_named_as_people(
    sealed: Gallery, start: Start
) -> None:
    database, inbox = sealed.store.database, inbox_of(sealed)
    first, second, third = inbox.keep(
        COLLECTION, [sighting(VECTORS[n], str(n)) for n in range(3)], 0.9
    )
    near = VECTORS[0] + 0.02 * VECTORS[5]
    inbox.keep(COLLECTION, [sighting(near / np.linalg.norm(near), "4")], 0.9)
    require_nothing_in_the_clear(database)
    merged = inbox.merge(COLLECTION, [first, second])
    split = inbox.split(COLLECTION, merged.id, ["1" * 32])
    inbox.dismiss(COLLECTION, third)
    with database.reading() as session:
        assert len(session.scalars(select(UnknownGroupKeyTable.group_number)).all()) == 2
    require_nothing_in_the_clear(database)
    again = inbox_of(start())
    assert again.sealed_crop(COLLECTION, split.id, "1" * 32) == CROP
    (alike,) = again.most_alike(COLLECTION, [sighting(VECTORS[1], "5")], 1)
    assert alike.groups[0].group.id == split.id
    assert alike.groups[0].similarity == pytest.approx(1)
    again.name(COLLECTION, split.id, NewIdentity(name="Bob"), None)
    inbox.name(COLLECTION, merged.id, NewIdentity(name="Ada"), ["0" * 32])
    require_nothing_in_the_clear(database)
    other = start()
    assert [found(other, vector) for vector in VECTORS[:2]] == ["Ada", "Bob"]


def test_both_embeddings_of_a_rollout_are_sealed(sealed: Gallery, start: Start) -> None:
    database, rollouts = sealed.store.database, Rollouts(sealed.store.database)
    enroll(sealed, VECTORS[0], name="Ada")
    rollouts.begin(COLLECTION, OTHER_MODEL)
    both = start(next_model=OTHER_MODEL)
    (waiting,) = rollouts.waiting(COLLECTION, OTHER_MODEL, after=0, limit=9)
    other = unit_vector(1, dimension=OTHER_MODEL.dimension)
    rollouts.add(COLLECTION, OTHER_MODEL, {waiting.number: other})
    late = replace(
        new_face(VECTORS[1]), next_embedding=unit_vector(2, dimension=OTHER_MODEL.dimension)
    )
    both.people.enroll(COLLECTION, NewIdentity(name="Bob"), [late])
    require_nothing_in_the_clear(database)
    rollouts.switch(COLLECTION, is_measured=True)
    rollouts.purge(COLLECTION)
    with database.reading() as session:
        assert session.scalars(select(SecondEmbeddingTable)).all() == []
        assert not any(
            to_bytes(other)[:8] in data for data in session.scalars(select(FaceTable.embedding))
        )
    after = start(model=OTHER_MODEL)
    assert found(after, other) == "Ada"
    assert found(after, unit_vector(2, dimension=OTHER_MODEL.dimension)) == "Bob"


def test_an_archive_goes_from_an_encrypted_gallery_to_another(
    sealed: Gallery, start: Start, tmp_path: Path
) -> None:
    enroll(sealed, VECTORS[0], VECTORS[1], name="Ada")
    archive = tmp_path / "gallery.zip"
    export_gallery(sealed.store.database, archive)
    assert to_bytes(VECTORS[0]) in archive.read_bytes()
    sealed.collections.delete(COLLECTION)
    import_gallery(sealed.store.database, archive)
    require_nothing_in_the_clear(sealed.store.database)
    assert found(start(), VECTORS[1]) == "Ada"


def test_swapped_rows_do_not_open_and_hinder_nobody_else(
    sealed: Gallery, start: Start, connect: Connect
) -> None:
    ada, _ = sealed.people.enroll(
        COLLECTION,
        NewIdentity(name="Ada"),
        [with_crop(VECTORS[0], "a"), with_crop(VECTORS[1], "b")],
    )
    enroll(sealed, VECTORS[2], name="Bob")
    enroll(sealed, VECTORS[3], name="Eve")
    with tampering(connect()) as session:
        rows = {row.id: row for row in session.scalars(select(FaceTable))}
        first, second = rows["a" * 32], rows["b" * 32]
        # Of one person, whose key seals both; and a crop that is not there.
        first.embedding, second.embedding = second.embedding, first.embedding
        session.execute(update(CropTable).values(sealed=b"\x01" + bytes(60)))
    other = start()
    assert found(other, VECTORS[2]) == "Bob"
    assert [found(other, vector) for vector in VECTORS[:2]] == [None, None]
    for gallery in (sealed, other):
        with pytest.raises(EmbeddingUnreadable, match="altered or is damaged") as refused:
            gallery.faces.probe_of(COLLECTION, "a" * 32)
        assert refused.value.face_id == "a" * 32
        with pytest.raises(CropUnreadable):
            gallery.faces.sealed_crop(COLLECTION, ada.id, "a" * 32)
        with pytest.raises(EmbeddingUnreadable):
            gallery.corrections.move_face(COLLECTION, "a" * 32, NewIdentity(name="Joe"))
    other.faces.delete(COLLECTION, ada.id, "a" * 32)
    other.people.delete(COLLECTION, ada.id)
    assert found(other, VECTORS[3]) == "Eve"


def test_faces_that_do_not_open_are_counted_until_their_row_is_restored(
    sealed: Gallery, start: Start, connect: Connect
) -> None:
    for vector, name in zip(VECTORS[:2], ("Ada", "Bob"), strict=True):
        enroll(sealed, vector, name=name)
    with tampering(connect()) as session:
        ada, bob = session.scalars(select(FaceTable).order_by(FaceTable.number))
        number, kept = ada.number, ada.embedding
        ada.embedding = bob.embedding
    other = start()
    vault = other.store.database.vault
    assert vault.unreadable.count() == 1
    assert recheck(other.store.database) == set()
    assert vault.unreadable.count() == 1
    with tampering(connect()) as session:
        row = update(FaceTable).where(FaceTable.number == number)
        session.execute(row.values(embedding=kept))
    (restored,) = recheck(other.store.database)
    other.sync.forget(restored)
    assert vault.unreadable.count() == 0
    assert found(other, VECTORS[0]) == "Ada"


def test_an_embedding_in_the_clear_is_not_accepted(
    sealed: Gallery, start: Start, connect: Connect, tmp_path: Path
) -> None:
    enroll(sealed, VECTORS[0], name="Ada")
    enroll(sealed, VECTORS[1], name="Bob")
    with tampering(connect()) as session:
        session.execute(
            update(FaceTable)
            .where(FaceTable.number == session.scalar(select(func.min(FaceTable.number))))
            .values(embedding=to_bytes(VECTORS[7]))
        )
    other = start()
    assert found(other, VECTORS[7]) is None
    assert found(other, VECTORS[1]) == "Bob"
    with pytest.raises(NotExportable, match="embedding is damaged"):
        export_gallery(sealed.store.database, tmp_path / "gallery.zip")


def test_a_collection_that_sql_marks_as_not_encrypted_is_not_read(
    sealed: Gallery, connect: Connect
) -> None:
    enroll(sealed, VECTORS[0], name="Ada")
    with tampering(connect()) as session:
        session.execute(update(CollectionTable).values(key_generation=None))
        session.execute(update(FaceTable).values(embedding=to_bytes(VECTORS[7])))
    with pytest.raises(CollectionSealed, match="says that it is not encrypted"):
        found(sealed, VECTORS[7])
    with pytest.raises(StartupError, match="row in collections was altered"):
        with_masters(connect()).vault.prepare()


def test_a_crop_opens_in_a_form_of_encrypted_ones_alone(sealed: Gallery, connect: Connect) -> None:
    ada, _ = sealed.people.enroll(COLLECTION, NewIdentity(), [with_crop(VECTORS[0], "a")])
    for form in (Form.BY_CROPS_KEY, 7):
        with tampering(connect()) as session:
            session.execute(update(CropTable).values(form=form))
        with pytest.raises(CropUnreadable):
            sealed.faces.sealed_crop(COLLECTION, ada.id, "a" * 32)
        with pytest.raises(EmbeddingUnreadable):
            sealed.corrections.move_face(COLLECTION, "a" * 32, NewIdentity())


def test_a_face_that_was_given_away_opens_by_no_key_of_its_former_owner(sealed: Gallery) -> None:
    """Else it would open in files after an erasure of its new owner."""
    ada, _ = sealed.people.enroll(
        COLLECTION, NewIdentity(), [with_crop(VECTORS[0], "a"), with_crop(VECTORS[1], "b")]
    )
    with sealed.store.reading(COLLECTION) as transaction:
        owner = transaction.identities.get(ada.id).number
        (before,) = transaction.session.scalars(
            select(PersonKeyTable.wrapped).where(PersonKeyTable.identity_number == owner)
        )
    sealed.corrections.move_face(COLLECTION, "a" * 32, NewIdentity(name="Bob"))
    with sealed.store.reading(COLLECTION) as transaction:
        (after,) = transaction.session.scalars(
            select(PersonKeyTable.wrapped).where(PersonKeyTable.identity_number == owner)
        )
    assert before != after
    assert found(sealed, VECTORS[0]) == "Bob"
    assert sealed.faces.sealed_crop(COLLECTION, ada.id, "b" * 32) == CROP


@sqlite_only
def test_a_process_without_a_master_writes_nothing_in_the_clear(
    sealed: Gallery, connect: Connect
) -> None:
    enroll(sealed, VECTORS[0], name="Ada")
    without = new_gallery(connect())
    with pytest.raises(CollectionSealed, match="without a master key"):
        without.people.enroll(COLLECTION, NewIdentity(name="Bob"), [new_face(VECTORS[1])])
    with pytest.raises(CollectionSealed):
        without.open()
    without.close()


@sqlite_only
def test_the_file_of_the_database_holds_no_embedding(sealed: Gallery, database_url: str) -> None:
    for vector in VECTORS:
        enroll(sealed, vector)
    inbox_of(sealed).keep(COLLECTION, [sighting(unit_vector(9), "9")], 0.9)
    path = Path(database_url.removeprefix("sqlite:///"))
    files = [path, *path.parent.glob(f"{path.name}-*")]
    content = b"".join(file.read_bytes() for file in files)
    for vector in (*VECTORS, unit_vector(9)):
        assert to_bytes(vector)[:12] not in content
    assert MODEL.digest.encode() in content


def test_what_is_held_of_a_person_is_read_from_sealed_rows(sealed: Gallery) -> None:
    crop = replace(new_face(VECTORS[0]), sealed_crop=CROP)
    identity, _ = sealed.people.enroll(COLLECTION, NewIdentity(), [crop])
    data = sealed.person_data
    _, traces = data.traces(COLLECTION, identity.id)
    np.testing.assert_array_equal(traces.embeddings[MODEL.digest], VECTORS[:1])
    (held,) = data.faces(COLLECTION, identity.id, FaceParts(True, crops=True), at_once=10)
    assert held.embedding is not None
    np.testing.assert_array_equal(held.embedding, VECTORS[0])
    assert held.sealed_crop == CROP
