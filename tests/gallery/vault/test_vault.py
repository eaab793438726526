"""The hierarchy of keys: a master wraps those of collections."""

import pytest
from sqlalchemy import func, select, update

from app.errors import CollectionSealed, MasterKeyMissing, MasterKeyUnknown, StartupError
from app.gallery.store.gallery_store import Store
from app.gallery.store.tables import CollectionKeyTable
from app.gallery.vault.sealing import KeySealer, SealedOtherwiseError
from tests.gallery.conftest import Connect
from tests.gallery.factories import COLLECTION, MODEL, new_gallery
from tests.gallery.vault.vaults import MASTER, OTHER_MASTER, with_masters


def test_what_is_sealed_opens_by_the_same_key_for_the_same_place_alone() -> None:
    sealer = KeySealer(bytes(32))
    sealed = sealer.seal(b"an embedding", b"face 1")
    assert sealer.open(sealed, b"face 1") == b"an embedding"
    assert sealed != sealer.seal(b"an embedding", b"face 1"), "its nonce is random"
    altered = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for wrong, context in (
        (sealed, b"face 2"),
        (altered, b"face 1"),
        (sealed[:20], b"face 1"),
        (b"", b""),
    ):
        with pytest.raises(SealedOtherwiseError):
            sealer.open(wrong, context)
    with pytest.raises(SealedOtherwiseError):
        KeySealer(b"k" * 32).open(sealed, b"face 1")


def test_collections_have_keys_from_the_beginning(connect: Connect) -> None:
    database = with_masters(connect())
    gallery = new_gallery(database)
    gallery.collections.claim()
    gallery.collections.create("staff", None)
    with database.reading() as session:
        keys = session.scalars(select(CollectionKeyTable)).all()
        assert [(key.generation, key.master_id, key.is_complete) for key in keys] == [
            (1, MASTER.id, True)
        ] * 2
    gallery.collections.claim()
    gallery.collections.delete("staff")
    with database.reading() as session:
        count = select(func.count()).select_from(CollectionKeyTable)
        assert session.scalar(count) == 1, "a key goes with its collection"


def test_a_start_without_the_right_master_is_refused(connect: Connect) -> None:
    gallery = new_gallery(with_masters(connect()))
    gallery.collections.claim()

    with pytest.raises(MasterKeyMissing, match="name no master key"):
        connect().vault.prepare()
    with pytest.raises(MasterKeyUnknown, match=f"{MASTER.id}.*{OTHER_MASTER.id}") as refused:
        with_masters(connect(), (OTHER_MASTER,)).vault.prepare()
    assert refused.value.master_ids == (MASTER.id,)
    with_masters(connect(), (OTHER_MASTER, MASTER)).vault.prepare()


def test_a_collection_key_that_was_altered_by_sql_stops_the_start(connect: Connect) -> None:
    database = with_masters(connect())
    gallery = new_gallery(database)
    gallery.collections.claim()
    with database.writing() as session:
        session.execute(update(CollectionKeyTable).values(is_complete=False))
    with pytest.raises(StartupError, match="altered or is damaged"):
        with_masters(connect()).vault.prepare()


def test_a_database_without_keys_starts_with_a_master_and_without(connect: Connect) -> None:
    database = connect()
    new_gallery(database).collections.claim()
    database.vault.prepare()
    with_masters(connect()).vault.prepare()


def test_files_of_a_collection_open_for_their_purpose_in_every_process(connect: Connect) -> None:
    database = with_masters(connect())
    new_gallery(database).collections.claim()
    with Store(database).reading(COLLECTION) as transaction:
        number = transaction.collection.number
    snapshots = database.vault.collection_sealer(number, "snapshot")
    assert snapshots is not None
    sealed = snapshots.seal(b"rows", b"header")

    other = with_masters(connect()).vault
    again = other.collection_sealer(number, "snapshot")
    archives = other.collection_sealer(number, "archive")
    assert again is not None
    assert archives is not None
    assert again.open(sealed, b"header") == b"rows"
    for sealer, context in ((archives, b"header"), (again, b"")):
        with pytest.raises(SealedOtherwiseError):
            sealer.open(sealed, context)

    with database.writing() as session:
        database.vault.begin(session, number, is_complete=True)  # a generation that is not in use
    assert again.open(sealed, b"header") == b"rows"
    unknown = (7).to_bytes(4) + sealed[4:]
    with pytest.raises(SealedOtherwiseError):
        again.open(unknown, b"header")
    with pytest.raises(CollectionSealed):
        connect().vault.collection_sealer(number, "snapshot")


def test_a_collection_that_is_not_encrypted_has_no_sealer(connect: Connect) -> None:
    database = connect()
    new_gallery(database).collections.claim()
    with_masters(database)
    with Store(database).reading(COLLECTION) as transaction:
        number = transaction.collection.number
    assert database.vault.collection_sealer(number, "snapshot") is None


def test_a_key_of_a_transaction_that_is_undone_is_not_used_again(connect: Connect) -> None:
    database = with_masters(connect())
    store = Store(database)

    def add_and_fail() -> None:
        with store.writing_all() as collections:
            made = collections.add("staff", None, MODEL)
            assert made.key_generation is not None
            database.vault.key(collections.within(made).session, made.number, made.key_generation)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        add_and_fail()
    with store.writing_all() as collections:
        again = collections.add("staff", None, MODEL)
    assert again.key_generation is not None
    sealer = database.vault.collection_sealer(again.number, "snapshot")
    other = with_masters(connect()).vault.collection_sealer(again.number, "snapshot")
    assert sealer is not None
    assert other is not None
    assert other.open(sealer.seal(b"rows", b""), b"") == b"rows"
