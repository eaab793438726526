"""What the changes of encryption and the check of it share."""

from collections.abc import Sequence

from app.errors import MasterKeyMissing
from app.gallery.store.database import Database
from app.gallery.store.gallery_store import Store
from app.gallery.store.repositories.owner_key_repository import OwnerTable
from app.gallery.store.repositories.sealed_columns import SealedColumn, SealedColumnRepository
from app.gallery.store.repositories.vault_repository import VaultRepository, WrappedKey
from app.gallery.store.transaction import Transaction
from app.gallery.vault.collection_key import CollectionKey
from app.gallery.vault.row_seals import RowSeals, seals_of


class EncryptionPart:
    """A part of `Encryption`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._store = Store(database)
        self._vault = database.vault

    def numbers(self, names: Sequence[str] | None = None) -> list[int]:
        """Return the numbers of these collections, as far as they are there, or of all."""
        with self._store.reading_all() as collections:
            found = map(collections.find, sorted(collections.names()) if names is None else names)
            return [collection.number for collection in found if collection is not None]

    def _names(self) -> Sequence[str]:
        with self._store.reading_all() as collections:
            return sorted(collections.names())

    def _require_master(self) -> None:
        if not self._vault.is_on:
            raise MasterKeyMissing("the settings name no master key")
        assert self._vault.masters


def keys_of(transaction: Transaction) -> list[WrappedKey]:
    """All generations of the key of a collection."""
    return [
        key
        for key in VaultRepository(transaction.session).everything()
        if key.collection_number == transaction.collection.number
    ]


def rows_of(transaction: Transaction, column: SealedColumn) -> SealedColumnRepository:
    return SealedColumnRepository(transaction.session, transaction.collection, column)


def owner_seals(transaction: Transaction, kind: OwnerTable) -> RowSeals:
    return seals_of(transaction.session, transaction.collection, kind)


def marked(key: CollectionKey, *, is_complete: bool) -> CollectionKey:
    return CollectionKey(key.number, key.generation, key.key, is_complete=is_complete)
