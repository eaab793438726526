"""Encrypt a gallery that lies in the clear.

It is done in small transactions beside a running service, and continues where it stopped when it is
run again.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from app.errors import CollectionNotFound
from app.gallery.journal.actions import Action
from app.gallery.store.repositories.sealed_columns import (
    COLUMNS_OF_UNKNOWNS,
    SEALED_COLUMNS,
    SealedColumn,
    SealedRow,
)
from app.gallery.store.repositories.vault_repository import VaultRepository
from app.gallery.store.transaction import Transaction
from app.gallery.transfer.transfer_progress import Progress, Steps, silent
from app.gallery.vault.encryption_part import EncryptionPart, keys_of, marked, owner_seals, rows_of
from app.gallery.vault.kept_crops import StoredCrop

ROWS_AT_ONCE = 500
"""Rows of one transaction: other writers of the collection wait meanwhile."""


class Encrypting(EncryptionPart):
    """Seals what lies in the clear. All methods block."""

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
            _, clear = rows_of(transaction, column).count()
        steps = Steps(progress, f"encrypting {name}: {column.name}", clear) if clear else None
        after, more = 0, True
        while more:
            with self._store.locking(name) as transaction:
                if column in COLUMNS_OF_UNKNOWNS:
                    transaction.unknowns.advance_if_there()
                rows = rows_of(transaction, column).clear(after=after, most=ROWS_AT_ONCE)
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
        seals = owner_seals(transaction, column.owners)
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
        rows_of(transaction, column).write(sealed)

    def _complete(self, name: str) -> bool:
        """Mark a collection as sealed, if it is; from then on, nothing in the clear is accepted."""
        with self._store.locking(name) as transaction:
            collection = transaction.collection
            assert collection.key_generation is not None
            transaction.unknowns.advance_if_there()
            if any(rows_of(transaction, column).count()[1] for column in SEALED_COLUMNS):
                return False
            session = transaction.session
            # Former keys as well: else SQL could set the collection back to one of them.
            for wrapped in keys_of(transaction):
                key = self._vault.key(session, collection.number, wrapped.generation)
                complete = marked(key, is_complete=True)
                VaultRepository(session).replace(self._vault.wrapped(complete))
            transaction.note(Action.ENCRYPTION_COMPLETED)
        return True
