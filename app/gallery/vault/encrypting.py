"""Encrypt a gallery that lies in the clear, rotate its keys, and check what is sealed.

All of it is done in small transactions beside a running service, and continues where it stopped
when it is run again. All methods block.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog

from app.errors import CollectionNotFound, CollectionSealed, MasterKeyMissing
from app.gallery.journal.actions import Action
from app.gallery.store.database import Database
from app.gallery.store.gallery_store import Store
from app.gallery.store.repositories.owner_key_repository import (
    GROUPS,
    PEOPLE,
    OwnerKeyRepository,
    OwnerTable,
)
from app.gallery.store.repositories.sealed_columns import (
    COLUMNS_OF_UNKNOWNS,
    SEALED_COLUMNS,
    SealedColumn,
    SealedColumnRepository,
    SealedRow,
)
from app.gallery.store.repositories.vault_repository import VaultRepository, WrappedKey
from app.gallery.store.transaction import Transaction
from app.gallery.sync.rewrapping import rewrap
from app.gallery.transfer.transfer_progress import Progress, Steps, silent
from app.gallery.vault.collection_key import CollectionKey
from app.gallery.vault.kept_crops import Form, StoredCrop
from app.gallery.vault.row_seals import RowSeals, seals_of
from app.gallery.vault.sealing import SealedOtherwiseError

_log = structlog.get_logger(__name__)

ROWS_AT_ONCE = 500
"""Rows of one transaction: other writers of the collection wait meanwhile."""


@dataclass(frozen=True, slots=True)
class EncryptionStatus:
    """How a collection is encrypted; `generation` is None where it is not.

    `clear` counts rows that are not sealed under the key of their owner, by table. `former` are
    generations of the key that are still kept.
    """

    collection: str
    generation: int | None
    master_id: str | None
    is_complete: bool
    rows: dict[str, int]
    clear: dict[str, int]
    former: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """A row that does not open. `row_id` is the id of the face, or of the group of a centroid."""

    collection: str
    table: str
    row_id: str
    cause: str


class Encryption:
    """The encryption of all collections of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._store = Store(database)
        self._vault = database.vault

    # -- what there is ---------------------------------------------------------------------------

    def status(self) -> list[EncryptionStatus]:
        """Read how each collection is encrypted. Needs no master key."""
        with self._store.reading_all() as collections:
            return [
                self._status(collections.within(collection))
                for collection in collections.everything()
            ]

    def numbers(self, names: Sequence[str] | None = None) -> list[int]:
        """Return the numbers of these collections, as far as they are there, or of all."""
        with self._store.reading_all() as collections:
            found = map(collections.find, sorted(collections.names()) if names is None else names)
            return [collection.number for collection in found if collection is not None]

    def verify(self, progress: Progress = silent) -> Iterator[UnreadableRow]:
        """Open all rows, and yield those that do not. Raises StartupError without the key."""
        self._vault.prepare()
        for name in self._names():
            with suppress(CollectionNotFound), self._store.reading(name) as transaction:
                counts = [_rows(transaction, column).count()[0] for column in SEALED_COLUMNS]
                steps = Steps(progress, f"checking {name}", sum(counts))
                for column in SEALED_COLUMNS:
                    yield from self._unreadable(transaction, column, steps)

    # -- changes ---------------------------------------------------------------------------------

    def encrypt(self, progress: Progress = silent) -> list[str]:
        """Seal all that lies in the clear; return the names of the collections that had any.

        Raises MasterKeyMissing.
        """
        self._require_master()
        done = []
        for name in self._names():
            with suppress(CollectionNotFound):  # it is deleted meanwhile
                if self._begin(name):
                    while not self._complete(name):
                        for column in SEALED_COLUMNS:
                            self._seal(name, column, progress)
                    done.append(name)
        return done

    def rotate_master(self) -> int:
        """Wrap the keys of collections by the first master key; return how many were not.

        Raises MasterKeyMissing, and MasterKeyUnknown when a former one is not given.
        """
        self._require_master()
        self._vault.prepare()
        count = 0
        for name in self._names():
            with suppress(CollectionNotFound), self._store.locking(name) as transaction:
                keys = VaultRepository(transaction.session)
                left = [
                    key for key in _keys_of(transaction) if key.master_id != self._vault.master.id
                ]
                for key in left:
                    opened = self._vault.key(
                        transaction.session, key.collection_number, key.generation
                    )
                    # As it is marked in the database: another process may have marked it since.
                    keys.replace(self._vault.wrapped(_marked(opened, is_complete=key.is_complete)))
                if left:
                    transaction.note(
                        Action.ENCRYPTION_ROTATED, master=self._vault.master.id, keys=len(left)
                    )
                count += len(left)
        return count

    def rotate_collections(self, progress: Progress = silent) -> int:
        """Give each encrypted collection another key, and wrap the keys of its people by it.

        Returns how many of these were wrapped. What was begun before is finished first. Former
        keys of collections stay until `destroy_former`.
        """
        self._require_master()
        self._vault.prepare()
        count = 0
        for name in self._names():
            with suppress(CollectionNotFound):
                finished = self._rewrap(name, progress) if self._is_between_keys(name) else 0
                if not finished and self._next_key(name):
                    finished = self._rewrap(name, progress)
                count += finished
                self._rewrap_others(name)
        return count

    def destroy_former(self) -> int:
        """Delete the keys of collections that wrap nothing any more; return how many.

        Raises MasterKeyMissing.
        """
        self._require_master()
        count = 0
        for name in self._names():
            self._rewrap_others(name)
            with suppress(CollectionNotFound), self._store.locking(name) as transaction:
                generation = transaction.collection.key_generation
                if generation is None or _left_to_wrap(transaction, generation):
                    continue
                keys = VaultRepository(transaction.session)
                gone = keys.forget_before(transaction.collection.number, generation)
                if gone:
                    transaction.note(Action.ENCRYPTION_KEYS_DESTROYED, keys=gone)
                count += gone
        return count

    # -- steps of encrypting ---------------------------------------------------------------------

    def _begin(self, name: str) -> bool:
        """Seal what is written from now on; return whether rows in the clear may be left."""
        with self._store.locking(name) as transaction:
            collection = transaction.collection
            if collection.key_generation is None:
                # Its lock, also where it is made by the first face at this moment.
                transaction.unknowns.advance()
                transaction.collections.begin_sealing(collection, is_complete=False)
                transaction.note(Action.ENCRYPTION_BEGUN)
                return True
            key = self._vault.read_key(
                transaction.session, collection.number, collection.key_generation
            )
            return not key.is_complete

    def _seal(self, name: str, column: SealedColumn, progress: Progress) -> None:
        with self._store.reading(name) as transaction:
            _, clear = _rows(transaction, column).count()
        steps = Steps(progress, f"encrypting {name}: {column.name}", clear) if clear else None
        after, more = 0, True
        while more:
            with self._store.locking(name) as transaction:
                if column in COLUMNS_OF_UNKNOWNS:
                    transaction.unknowns.advance_if_there()
                rows = _rows(transaction, column).clear(after=after, most=ROWS_AT_ONCE)
                if rows:
                    self._seal_rows(transaction, column, rows)
                    transaction.note(Action.ENCRYPTION_SEALED, table=column.name, rows=len(rows))
            if rows:
                after = rows[-1].number
            if steps is not None:
                steps.done(len(rows))
            more = len(rows) == ROWS_AT_ONCE

    def _seal_rows(
        self, transaction: Transaction, column: SealedColumn, rows: Sequence[SealedRow]
    ) -> None:
        seals = _seals(transaction, column.owners)
        seals.require([row.owner for row in rows])
        sealed: list[dict[str, Any]] = []
        for row in rows:
            context = column.context(transaction.collection.number, row.row_id, row.digest)
            if column.form is None:
                data = seals.seal_vector(row.owner, context, row.data)
                sealed.append({"at": row.number, column.data.key: data})
            else:
                crop = StoredCrop.under(seals.of(row.owner), row.data, context)
                sealed.append(
                    {"at": row.number, column.data.key: crop.sealed, column.form.key: crop.form}
                )
        _rows(transaction, column).write(sealed)

    def _complete(self, name: str) -> bool:
        """Mark a collection as sealed, if it is; from then on, nothing in the clear is accepted."""
        with self._store.locking(name) as transaction:
            collection = transaction.collection
            assert collection.key_generation is not None
            transaction.unknowns.advance_if_there()
            if any(_rows(transaction, column).count()[1] for column in SEALED_COLUMNS):
                return False
            session = transaction.session
            # Former keys as well: else SQL could set the collection back to one of them.
            for wrapped in _keys_of(transaction):
                key = self._vault.key(session, collection.number, wrapped.generation)
                complete = _marked(key, is_complete=True)
                VaultRepository(session).replace(self._vault.wrapped(complete))
            transaction.note(Action.ENCRYPTION_COMPLETED)
        return True

    # -- steps of a rotation ---------------------------------------------------------------------

    def _next_key(self, name: str) -> bool:
        """Wrap new keys of people by another key from now on; return whether it is encrypted."""
        with self._store.locking(name) as transaction:
            collection = transaction.collection
            if collection.key_generation is None:
                return False
            transaction.unknowns.advance_if_there()
            session = transaction.session
            key = self._vault.read_key(session, collection.number, collection.key_generation)
            transaction.collections.begin_sealing(collection, is_complete=key.is_complete)
            transaction.note(Action.ENCRYPTION_ROTATED)
            return True

    def _is_between_keys(self, name: str) -> bool:
        with self._store.reading(name) as transaction:
            generation = transaction.collection.key_generation
            return generation is not None and bool(_left_to_wrap(transaction, generation))

    def _rewrap(self, name: str, progress: Progress) -> int:
        with self._store.reading(name) as transaction:
            generation = transaction.collection.key_generation
            assert generation is not None
            steps = Steps(progress, f"wrapping {name}", _left_to_wrap(transaction, generation))
        count = 0
        for kind in (PEOPLE, GROUPS):
            after: int | None = 0
            while after is not None:
                with self._store.locking(name) as transaction:
                    if kind is GROUPS:
                        transaction.unknowns.advance_if_there()
                    done, after = _rewrap_some(transaction, kind, after)
                    if done:
                        transaction.note(Action.ENCRYPTION_ROTATED, wrapped=done)
                count += done
                steps.done(done)
        return count

    def _rewrap_others(self, name: str) -> None:
        """Wrap the keys of snapshots, and of vectors in Milvus, by the key of this moment."""
        for number in self.numbers([name]):
            rewrap(self._database, number)

    # -- helpers ---------------------------------------------------------------------------------

    def _names(self) -> Sequence[str]:
        with self._store.reading_all() as collections:
            return sorted(collections.names())

    def _require_master(self) -> None:
        if not self._vault.is_on:
            raise MasterKeyMissing("the settings name no master key")
        assert self._vault.masters

    def _status(self, transaction: Transaction) -> EncryptionStatus:
        keys = _keys_of(transaction)
        generation = transaction.collection.key_generation
        current = next((key for key in keys if key.generation == generation), None)
        counts = {column.name: _rows(transaction, column).count() for column in SEALED_COLUMNS}
        return EncryptionStatus(
            transaction.collection.name,
            generation,
            None if current is None else current.master_id,
            current is not None and current.is_complete,
            {table: total for table, (total, _) in counts.items()},
            {table: clear for table, (_, clear) in counts.items()},
            tuple(key.generation for key in keys if key.generation != generation),
        )

    def _unreadable(
        self, transaction: Transaction, column: SealedColumn, steps: Steps
    ) -> Iterator[UnreadableRow]:
        seals = _seals(transaction, column.owners)
        collection = transaction.collection
        if not seals.is_on:
            return
        for row in _rows(transaction, column).everything():
            context = column.context(collection.number, row.row_id, row.digest)
            try:
                _open(seals, row, context)
            except (SealedOtherwiseError, CollectionSealed) as error:
                yield UnreadableRow(collection.name, column.name, row.row_id, str(error))
            steps.done(1)


def _open(seals: RowSeals, row: SealedRow, context: bytes) -> None:
    """Raises SealedOtherwiseError."""
    if row.form is None:
        seals.open_vector((row.data, row.row_id, row.owner, row.generation, row.wrapped), context)
        return
    stored = StoredCrop(row.data, Form.of(row.form))
    if stored.form is Form.BY_CROPS_KEY:
        if seals.current.is_complete:
            raise SealedOtherwiseError("the crop is not sealed under the key of its person")
        return
    stored.opened(seals.opener(row.owner, row.generation, row.wrapped), context)


def _rewrap_some(transaction: Transaction, kind: OwnerTable, after: int) -> tuple[int, int | None]:
    """Wrap some keys of owners above a number; return how many, and the last of them, None at the
    end. A key that does not open is logged, and stays as it is: `verify` lists its rows."""
    generation = transaction.collection.key_generation
    if generation is None:
        return 0, None
    keys = OwnerKeyRepository(transaction.session, transaction.collection, kind)
    seals = _seals(transaction, kind)
    left = keys.of_other_generations(generation, after=after, most=ROWS_AT_ONCE)
    done = 0
    for owner, (wrapped_by, wrapped) in left.items():
        try:
            seals.rewrap(owner, wrapped_by, wrapped)
            done += 1
        except SealedOtherwiseError as error:
            _log.error(
                "owner_key_unreadable",
                collection=transaction.collection.name,
                table=kind.table.__tablename__,
                owner=owner,
                cause=str(error),
            )
    return done, max(left, default=None)


def _left_to_wrap(transaction: Transaction, generation: int) -> int:
    return sum(
        OwnerKeyRepository(transaction.session, transaction.collection, kind).count_other(
            generation
        )
        for kind in (PEOPLE, GROUPS)
    )


def _keys_of(transaction: Transaction) -> list[WrappedKey]:
    """All generations of the key of a collection."""
    return [
        key
        for key in VaultRepository(transaction.session).everything()
        if key.collection_number == transaction.collection.number
    ]


def _rows(transaction: Transaction, column: SealedColumn) -> SealedColumnRepository:
    return SealedColumnRepository(transaction.session, transaction.collection, column)


def _seals(transaction: Transaction, kind: OwnerTable) -> RowSeals:
    return seals_of(transaction.session, transaction.collection, kind)


def _marked(key: CollectionKey, *, is_complete: bool) -> CollectionKey:
    return CollectionKey(key.number, key.generation, key.key, is_complete=is_complete)
