"""A gallery is encrypted, and its keys are changed, beside processes that go on."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from app.errors import MasterKeyMissing, MasterKeyUnknown
from app.gallery.gallery import Gallery
from app.gallery.journal.journal import NoJournal
from app.gallery.records import CollectionChanges, Face, NewIdentity
from app.gallery.rollout.rollouts import Rollouts
from app.gallery.store.database import Database
from app.gallery.store.statements.vector_bytes import to_bytes
from app.gallery.store.tables import (
    AuditLineTable,
    CollectionKeyTable,
    CollectionTable,
    CropTable,
    FaceTable,
    PersonKeyTable,
    UnknownCropTable,
    UnknownGroupKeyTable,
)
from app.gallery.vault.encryption import Encryption
from app.gallery.vault.master_key import MasterKey
from tests.gallery.conftest import Connect, sqlite_only
from tests.gallery.factories import (
    COLLECTION,
    OTHER_MODEL,
    enroll,
    new_face,
    new_gallery,
    unit_vectors,
)
from tests.gallery.vault.halting_encryption import encrypt_and_halt
from tests.gallery.vault.test_sealed_rows import (
    CROP,
    KEEP_ALL,
    found,
    inbox_of,
    require_nothing_in_the_clear,
    sighting,
)
from tests.gallery.vault.vaults import MASTER, OTHER_MASTER, with_masters
from tests.kit.forks import FORKS

VECTORS = unit_vectors(8, seed=5)
BY_CROPS_KEY = b"a crop, as CropVault has sealed it"

Start = Callable[..., Gallery]


@pytest.fixture
def start(connect: Connect) -> Iterator[Start]:
    """Starts a process with these master keys; it reads all embeddings from SQL."""
    with ExitStack() as stack:

        def start_one(*masters: MasterKey, **options: object) -> Gallery:
            gallery = new_gallery(with_masters(connect(), masters), **options)  # type: ignore[arg-type]
            stack.callback(gallery.close)
            gallery.store.database.vault.prepare()
            gallery.open()
            return gallery

        yield start_one


@pytest.fixture
def clear(start: Start) -> Gallery:
    """A gallery that was never encrypted: Ada with two faces and a crop, Bob, two strangers."""
    gallery = start()
    gallery.collections.update(COLLECTION, CollectionChanges(options=KEEP_ALL))
    cropped = replace(new_face(VECTORS[0]), face_id="a" * 32, sealed_crop=BY_CROPS_KEY)
    ada, _ = gallery.people.enroll(
        COLLECTION, NewIdentity(name="Ada", external_id="ada"), [cropped, new_face(VECTORS[1])]
    )
    enroll(gallery, VECTORS[2], name="Bob")
    seen = [replace(sighting(VECTORS[n], str(n)), sealed_crop=BY_CROPS_KEY) for n in (3, 4)]
    inbox_of(gallery).keep(COLLECTION, seen, 0.9)
    rollouts = Rollouts(gallery.store.database)
    rollouts.begin(COLLECTION, OTHER_MODEL)
    waiting = rollouts.waiting(COLLECTION, OTHER_MODEL, after=0, limit=9)
    others = unit_vectors(3, seed=6, dimension=OTHER_MODEL.dimension)
    rollouts.add(
        COLLECTION,
        OTHER_MODEL,
        {face.number: vector for face, vector in zip(waiting, others, strict=True)},
    )
    assert ada.face_count == 2
    return gallery


def require_everything_found(gallery: Gallery) -> None:
    assert [found(gallery, vector) for vector in VECTORS[:3]] == ["Ada", "Ada", "Bob"]
    with gallery.store.reading(COLLECTION) as transaction:
        ada = transaction.identities.find_by_external_id("ada")
        assert ada is not None
    assert gallery.faces.sealed_crop(COLLECTION, ada.id, "a" * 32) == BY_CROPS_KEY
    inbox = inbox_of(gallery)
    (alike,) = inbox.most_alike(COLLECTION, [sighting(VECTORS[4], "9")], 1)
    assert alike.groups[0].similarity == pytest.approx(1)
    assert inbox.sealed_crop(COLLECTION, alike.groups[0].group.id, "4" * 32) == BY_CROPS_KEY


def generations(database: Database) -> set[int]:
    """By which the keys of people and groups are wrapped."""
    with database.reading() as session:
        return {
            generation
            for table in (PersonKeyTable, UnknownGroupKeyTable)
            for generation in session.scalars(select(table.generation))
        }


@pytest.mark.usefixtures("clear")
def test_a_gallery_is_encrypted_while_others_read_and_write(start: Start) -> None:
    serving = start(MASTER)
    encryption = Encryption(serving.store.database)
    (before,) = encryption.status()
    assert (before.generation, before.is_complete) == (None, False)
    assert before.clear == before.rows
    assert set(before.rows.values()) == {1, 2, 3}
    assert encryption.encrypt() == [COLLECTION]
    require_nothing_in_the_clear(serving.store.database)
    (after,) = encryption.status()
    assert (after.generation, after.master_id, after.is_complete) == (1, MASTER.id, True)
    assert (after.rows, set(after.clear.values())) == (before.rows, {0})
    assert encryption.encrypt() == []
    enroll(serving, VECTORS[5], name="Eve")
    for gallery in (serving, start(MASTER)):
        require_everything_found(gallery)
        assert found(gallery, VECTORS[5]) == "Eve"
    assert list(encryption.verify()) == []
    with serving.store.database.reading() as session:
        query = select(AuditLineTable.action).where(AuditLineTable.action.startswith("encryption."))
        actions = list(session.scalars(query.order_by(AuditLineTable.number)))
    assert actions[0] == "encryption.begun"
    assert actions[-1] == "encryption.completed"
    assert set(actions[1:-1]) == {"encryption.sealed"}


@pytest.mark.usefixtures("clear")
def test_encrypting_goes_on_where_it_was_killed(start: Start, database_url: str) -> None:
    word, halted = FORKS.Pipe(duplex=False)
    process = FORKS.Process(target=encrypt_and_halt, args=(database_url, 3, halted), daemon=True)
    process.start()
    halted.close()  # so that an end of the process is noticed
    assert word.recv() == "halted"
    process.kill()
    process.join()
    # Both forms are read, and what is written is sealed.
    between = start(MASTER)
    (status,) = Encryption(between.store.database).status()
    assert status.clear["faces"] == 1
    assert not status.is_complete
    require_everything_found(between)
    enroll(between, VECTORS[6], name="Joe")
    with between.store.reading(COLLECTION) as transaction:
        ada = transaction.identities.find_by_external_id("ada")
        assert ada is not None
    between.corrections.move_face(COLLECTION, "a" * 32, ada.id)
    assert Encryption(between.store.database).encrypt() == [COLLECTION]
    require_nothing_in_the_clear(between.store.database)
    after = start(MASTER)
    require_everything_found(after)
    assert found(after, VECTORS[6]) == "Joe"


@pytest.mark.usefixtures("clear")
def test_an_embedding_in_the_clear_is_refused_once_all_are_sealed(
    start: Start, connect: Connect
) -> None:
    serving = start(MASTER)  # it has seen the collection while both forms were accepted
    Encryption(start(MASTER).store.database).encrypt()
    tampering = connect()
    tampering.journal = NoJournal()
    with tampering.writing() as session:
        bobs = select(func.max(FaceTable.number)).scalar_subquery()
        planted = update(FaceTable).where(FaceTable.number == bobs)
        session.execute(planted.values(embedding=to_bytes(VECTORS[7])))
    (row,) = Encryption(serving.store.database).verify()
    assert (row.table, row.cause) == ("faces", "the row is in the clear")
    assert found(start(MASTER), VECTORS[7]) is None


@pytest.mark.usefixtures("clear")
def test_the_master_key_is_changed_without_a_stop(start: Start) -> None:
    Encryption(start(MASTER).store.database).encrypt()
    serving = start(MASTER)
    both = start(OTHER_MASTER, MASTER)
    encryption = Encryption(both.store.database)
    assert encryption.rotate_master() == 1
    assert encryption.rotate_master() == 0
    enroll(serving, VECTORS[5], name="Eve")  # it has the key of the collection in memory
    after = start(OTHER_MASTER)
    require_everything_found(after)
    assert found(after, VECTORS[5]) == "Eve"
    with pytest.raises(MasterKeyUnknown):
        serving.store.database.vault.prepare()


@pytest.mark.usefixtures("clear")
def test_collections_get_other_keys_without_a_stop(start: Start) -> None:
    serving = start(MASTER)
    database = serving.store.database
    Encryption(database).encrypt()
    encryption = Encryption(start(MASTER).store.database)
    assert encryption.rotate_collections() == 4
    enroll(serving, VECTORS[5], name="Eve")
    assert generations(database) == {2}
    (status,) = encryption.status()
    assert status.former == (1,)
    assert encryption.destroy_former() == 1
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(CollectionKeyTable)) == 1
    enroll(serving, VECTORS[6], name="Joe")
    for gallery in (serving, start(MASTER)):
        require_everything_found(gallery)
        assert [found(gallery, vector) for vector in VECTORS[5:7]] == ["Eve", "Joe"]
    assert list(encryption.verify()) == []


@pytest.mark.usefixtures("clear")
def test_a_key_of_a_person_that_was_altered_hinders_no_rotation(start: Start) -> None:
    gallery = start(MASTER)
    database = gallery.store.database
    encryption = Encryption(database)
    encryption.encrypt()
    with database.writing() as session:
        number = session.scalar(select(func.max(PersonKeyTable.identity_number)))
        bobs = update(PersonKeyTable).where(PersonKeyTable.identity_number == number)
        session.execute(bobs.values(wrapped=b"\x01" + bytes(60)))
    assert encryption.rotate_collections() == 3
    assert encryption.destroy_former() == 0, "the key that does not open may be mended yet"
    assert {row.table for row in encryption.verify()} == {"faces", "second_embeddings"}
    assert found(start(MASTER), VECTORS[0]) == "Ada"


@pytest.mark.usefixtures("clear")
def test_no_crop_is_kept_in_the_clear_before_the_gallery_is_encrypted(start: Start) -> None:
    gallery = start(MASTER)
    face = replace(new_face(VECTORS[5]), face_id="e" * 32, sealed_crop=CROP)
    _, (before,) = gallery.people.enroll(COLLECTION, NewIdentity(), [face])
    inbox_of(gallery).keep(COLLECTION, [sighting(VECTORS[6], "6")], 0.9)
    assert isinstance(before, Face)
    assert not before.has_crop
    with gallery.store.database.reading() as session:
        stored = [*session.scalars(select(CropTable.sealed))]
        stored += session.scalars(select(UnknownCropTable.sealed))
    assert set(stored) == {BY_CROPS_KEY}
    Encryption(gallery.store.database).encrypt()
    late = replace(new_face(VECTORS[7]), face_id="f" * 32, sealed_crop=CROP)
    _, (after,) = gallery.people.enroll(COLLECTION, NewIdentity(), [late])
    assert isinstance(after, Face)
    assert after.has_crop


def test_encrypting_needs_a_master_key(clear: Gallery) -> None:
    encryption = Encryption(clear.store.database)
    for change in (encryption.encrypt, encryption.rotate_master, encryption.rotate_collections):
        with pytest.raises(MasterKeyMissing):
            change()
    assert [one.generation for one in encryption.status()] == [None]


@sqlite_only
@pytest.mark.usefixtures("clear")
def test_the_file_holds_nothing_in_the_clear_afterwards(start: Start, database_url: str) -> None:
    path = Path(database_url.removeprefix("sqlite:///"))

    def held() -> list[int]:
        files = [path, *path.parent.glob(f"{path.name}-*")]
        content = b"".join(file.read_bytes() for file in files)
        other = unit_vectors(3, seed=6, dimension=OTHER_MODEL.dimension)
        looked_for = [*VECTORS[:5], *other]
        return [n for n, vector in enumerate(looked_for) if to_bytes(vector)[:12] in content]

    assert held() == list(range(8))
    database = start(MASTER).store.database
    Encryption(database).encrypt()
    database.compact(most_bytes=None)
    assert held() == []


@pytest.mark.usefixtures("clear")
def test_sql_sets_no_collection_back_to_a_key_that_accepted_rows_in_the_clear(
    start: Start, connect: Connect
) -> None:
    encryption = Encryption(start(MASTER).store.database)
    assert encryption._begin(COLLECTION)
    encryption.rotate_collections()
    encryption.encrypt()
    tampering = connect()
    tampering.journal = NoJournal()
    with tampering.writing() as session:
        bobs = select(func.max(FaceTable.number)).scalar_subquery()
        planted = update(FaceTable).where(FaceTable.number == bobs)
        session.execute(planted.values(embedding=to_bytes(VECTORS[7])))
        session.execute(update(CollectionTable).values(key_generation=1))
    assert found(start(MASTER), VECTORS[7]) is None
