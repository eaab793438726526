"""The keys of snapshots in the database, wrapped by the keys of their collections."""

from contextlib import suppress
from typing import Final

from app.errors import CollectionNotFound, DiskFull
from app.gallery.store.database import Database
from app.gallery.store.gallery_store import Store
from app.gallery.store.repositories.snapshot_key_repository import SnapshotKeyRepository
from app.gallery.store.transaction import Collections
from app.gallery.sync.snapshot_keys import SnapshotKey
from app.gallery.vault.sealing import SealedOtherwiseError, Sealer
from app.gallery.vault.vault import Vault

_PURPOSE: Final = "snapshots"


class DatabaseSnapshotKeys:
    """A row a snapshot file; see `SnapshotKeys`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._store = Store(database)

    def sealing(self, collection_number: int) -> bool:
        return self._sealer(collection_number) is not None

    def make(self, collection_number: int, folder: str) -> SnapshotKey | None:
        sealer = self._sealer(collection_number)
        if sealer is None:
            return None
        key = SnapshotKey.fresh()
        wrapped = sealer.seal(key.secret, _context(collection_number, key.id))
        with self._store.writing_all() as collections:
            if collections.find_by_number(collection_number) is None:
                raise CollectionNotFound(
                    f"collection {collection_number} was deleted", collection=str(collection_number)
                )
            _rows(collections, collection_number).add(key.id, folder, wrapped)
        return key

    def find(self, collection_number: int, key_id: str) -> SnapshotKey | None:
        sealer = self._sealer(collection_number)
        with self._store.reading_all() as collections:
            wrapped = _rows(collections, collection_number).find(key_id)
        if wrapped is None or sealer is None:
            return None
        try:
            return SnapshotKey(key_id, sealer.open(wrapped, _context(collection_number, key_id)))
        except SealedOtherwiseError:  # by an earlier key of the collection, which was destroyed
            return None

    def keep_only(self, collection_number: int, folder: str, key_id: str | None) -> None:
        with self._store.writing_all() as collections:
            _rows(collections, collection_number).remove_others(folder, key_id)

    def destroy(self, collection_number: int) -> None:
        try:
            self._destroy(collection_number)
        except DiskFull:
            if not self._database.make_room():
                raise
            self._destroy(collection_number)

    def _destroy(self, collection_number: int) -> None:
        with self._store.writing_all() as collections:
            _rows(collections, collection_number).remove_all()

    def _sealer(self, collection_number: int) -> Sealer | None:
        return self._database.vault.collection_sealer(collection_number, _PURPOSE)


def rewrap_snapshot_keys(vault: Vault, collections: Collections, collection_number: int) -> None:
    """Wrap the keys of a collection's snapshots by the key that it has now."""
    sealer = vault.collection_sealer(collection_number, _PURPOSE)
    rows = _rows(collections, collection_number)
    if sealer is None:
        return
    for key_id, wrapped in rows.everything().items():
        context = _context(collection_number, key_id)
        with suppress(SealedOtherwiseError):
            rows.replace(key_id, sealer.seal(sealer.open(wrapped, context), context))


def _rows(collections: Collections, collection_number: int) -> SnapshotKeyRepository:
    return collections.snapshot_keys(collection_number)


def _context(collection_number: int, key_id: str) -> bytes:
    return f"snapshot key:{collection_number}:{key_id}".encode()
