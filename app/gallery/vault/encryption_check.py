"""What of a gallery is encrypted, and whether it opens."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from app.errors import CollectionNotFound, CollectionSealed
from app.gallery.store.repositories.sealed_columns import SEALED_COLUMNS, SealedColumn, SealedRow
from app.gallery.store.transaction import Transaction
from app.gallery.transfer.transfer_progress import Progress, Steps, silent
from app.gallery.vault.encryption_part import EncryptionPart, keys_of, owner_seals, rows_of
from app.gallery.vault.kept_crops import Form, StoredCrop
from app.gallery.vault.row_seals import RowSeals
from app.gallery.vault.sealing import SealedOtherwiseError


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


class EncryptionCheck(EncryptionPart):
    """Reads how a gallery is encrypted. All methods block."""

    def status(self) -> list[EncryptionStatus]:
        """Read how each collection is encrypted. Needs no master key."""
        with self._store.reading_all() as collections:
            return [
                self._status(collections.within(collection))
                for collection in collections.everything()
            ]

    def verify(self, progress: Progress = silent) -> Iterator[UnreadableRow]:
        """Open all rows, and yield those that do not. Raises StartupError without the key."""
        self._vault.prepare()
        for name in self._names():
            with suppress(CollectionNotFound), self._store.reading(name) as transaction:
                counts = [rows_of(transaction, column).count()[0] for column in SEALED_COLUMNS]
                steps = Steps(progress, f"checking {name}", sum(counts))
                for column in SEALED_COLUMNS:
                    yield from self._unreadable(transaction, column, steps)

    def _status(self, transaction: Transaction) -> EncryptionStatus:
        keys = keys_of(transaction)
        generation = transaction.collection.key_generation
        current = next((key for key in keys if key.generation == generation), None)
        counts = {column.name: rows_of(transaction, column).count() for column in SEALED_COLUMNS}
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
        seals = owner_seals(transaction, column.owners)
        collection = transaction.collection
        if not seals.is_on:
            return
        for row in rows_of(transaction, column).everything():
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
