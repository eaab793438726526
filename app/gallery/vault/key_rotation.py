"""Rotate the keys of an encrypted gallery: keys are wrapped by others, and no data is sealed anew.

It is done in small transactions beside a running service, and continues where it stopped when it is
run again.
"""

from contextlib import suppress

import structlog

from app.errors import CollectionNotFound
from app.gallery.journal.actions import Action
from app.gallery.store.repositories.owner_key_repository import (
    GROUPS,
    PEOPLE,
    OwnerKeyRepository,
    OwnerTable,
)
from app.gallery.store.repositories.vault_repository import VaultRepository
from app.gallery.store.transaction import Transaction
from app.gallery.sync.rewrapping import rewrap
from app.gallery.transfer.transfer_progress import Progress, Steps, silent
from app.gallery.vault.encryption_part import EncryptionPart, keys_of, marked, owner_seals
from app.gallery.vault.sealing import SealedOtherwiseError

_log = structlog.get_logger(__name__)

_KEYS_AT_ONCE = 500
"""Keys of one transaction: other writers of the collection wait meanwhile."""


class KeyRotation(EncryptionPart):
    """Rotates keys. All methods block."""

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
                    key for key in keys_of(transaction) if key.master_id != self._vault.master.id
                ]
                for key in left:
                    opened = self._vault.key(
                        transaction.session, key.collection_number, key.generation
                    )
                    # As it is marked in the database: another process may have marked it since.
                    keys.replace(self._vault.wrapped(marked(opened, is_complete=key.is_complete)))
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


def _rewrap_some(transaction: Transaction, kind: OwnerTable, after: int) -> tuple[int, int | None]:
    """Wrap some keys of owners above a number; return how many, and the last of them, None at the
    end. A key that does not open is logged, and stays as it is: `verify` lists its rows."""
    generation = transaction.collection.key_generation
    if generation is None:
        return 0, None
    keys = OwnerKeyRepository(transaction.session, transaction.collection, kind)
    seals = owner_seals(transaction, kind)
    left = keys.of_other_generations(generation, after=after, most=_KEYS_AT_ONCE)
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
