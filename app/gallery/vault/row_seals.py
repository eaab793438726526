"""Seals and opens the rows of one collection in one transaction, each under its owner's key.

Where the collection is not encrypted, rows are written and read as they are.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final

import structlog
from sqlalchemy.orm import Session

from app.errors import EmbeddingUnreadable
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.repositories.owner_key_repository import (
    PEOPLE,
    OwnerKeyRepository,
    OwnerTable,
)
from app.gallery.store.statements.vector_bytes import FLOAT_BYTES
from app.gallery.vault.collection_key import CollectionKey
from app.gallery.vault.contexts import of_owner_key
from app.gallery.vault.sealing import KeySealer, SealedOtherwiseError, new_key
from app.gallery.vault.vault import Vault, vault_of

_SEALED_REST: Final = 1
"""Sealing adds 29 bytes, so that a sealed vector is no whole number of floats."""
_MOST_IN_MEMORY = 10_000
_IN_SESSION = "vultus_row_seals"

SealedColumns = tuple[bytes, str, int, int | None, bytes | None]
"""Sealed bytes, the id that they are bound to, their owner, and generation and wrapped key of that
owner, None where there is none."""

_log = structlog.get_logger(__name__)


class RowSeals:
    """The seals of one kind of owners: people, or groups of unknown faces."""

    def __init__(self, session: Session, collection: CollectionView, kind: OwnerTable) -> None:
        self.is_on = collection.key_generation is not None
        self._session = session
        self._collection = collection
        self._vault: Vault = vault_of(session)
        if not self.is_on:
            self._vault.require_in_the_clear(collection.number)
        self._kind = kind
        self._keys = OwnerKeyRepository(session, collection, kind)
        self._known: dict[int, KeySealer] = {}

    # -- keys ------------------------------------------------------------------------------------

    @property
    def current(self) -> CollectionKey:
        """The key of the collection. Raises CollectionSealed."""
        assert self._collection.key_generation is not None
        return self._key(self._collection.key_generation)

    def of(self, owner: int) -> KeySealer:
        """Return the sealer of an owner, whose key is made if there is none."""
        self.require([owner])
        return self._known[owner]

    def require(self, owners: Collection[int]) -> None:
        """Have the keys of these owners in memory, and make those that are missing.

        Requires the lock under which the rows of these owners are written.
        """
        missing = sorted({owner for owner in owners if owner not in self._known})
        if not missing:
            return
        self._make_room(len(missing))
        there = self._keys.some(missing)
        for owner, (generation, wrapped) in there.items():
            self._known[owner] = self._unwrapped(owner, generation, wrapped)
        self.make([owner for owner in missing if owner not in there])

    def make(self, owners: Sequence[int]) -> None:
        """Make keys of owners who have none."""
        wrapped = {owner: self._new(owner) for owner in owners}
        if wrapped:
            self._keys.add(wrapped, self.current.generation)

    def renew(self, owner: int) -> KeySealer:
        """Give an owner another key, in place of theirs: what that one sealed is lost."""
        self._keys.replace(owner, self._new(owner), self.current.generation)
        return self._known[owner]

    def rewrap(self, owner: int, generation: int, wrapped: bytes) -> None:
        """Wrap a key by the collection's current key. Raises SealedOtherwiseError."""
        context = self._context_of(owner)
        key = self._wraps(self._key(generation)).open(wrapped, context)
        self._keys.replace(
            owner, self._wraps(self.current).seal(key, context), self.current.generation
        )

    def opener(self, owner: int, generation: int | None, wrapped: bytes | None) -> KeySealer:
        """Return the sealer of an owner whose wrapped key was read with their row.

        Raises SealedOtherwiseError.
        """
        known = self._known.get(owner)
        if known is None:
            if generation is None or wrapped is None:
                raise SealedOtherwiseError(f"{self._kind.owner.key} {owner} has no key")
            self._make_room(1)
            known = self._known[owner] = self._unwrapped(owner, generation, wrapped)
        return known

    # -- rows ------------------------------------------------------------------------------------

    def seal_vector(self, owner: int, context: bytes, vector: bytes) -> bytes:
        """Seal the bytes of a vector under the key of an owner; see `require`."""
        return self.of(owner).seal(vector, context) if self.is_on else vector

    def open_vector(self, columns: Sequence[Any], context: bytes) -> bytes:
        """Open SealedColumns of a vector. Raises SealedOtherwiseError.

        A row in the clear is accepted while the collection is being encrypted, and not afterwards.
        """
        data, _, owner, generation, wrapped = columns
        if len(data) % FLOAT_BYTES == _SEALED_REST:
            return self.opener(owner, generation, wrapped).open(data, context)
        self.require_accepted()
        clear: bytes = data
        return clear

    def require_accepted(self) -> None:
        """Raise SealedOtherwiseError for a row that is not sealed under the key of its owner, where
        none is accepted."""
        if not self.accepts_clear():
            raise SealedOtherwiseError("the row is in the clear")

    def report(self, face_id: str, error: SealedOtherwiseError) -> None:
        """Log a row that does not open, once in this process."""
        if self._vault.is_news(face_id):
            _log.error(
                "embedding_unreadable",
                collection=self._collection.name,
                face=face_id,
                cause=str(error),
                remedy="run vultus encrypt verify; delete the face, and enroll it again",
            )

    def unreadable(self, face_id: str) -> EmbeddingUnreadable:
        return EmbeddingUnreadable(
            f"the embedding of face {face_id} does not open: its row was altered or is damaged",
            face_id=face_id,
        )

    def accepts_clear(self) -> bool:
        """Return whether rows may lie in the clear: until the collection is encrypted."""
        if not self.is_on:
            return True
        key = self.current
        if not key.is_complete:
            # Another process may have sealed the last row since; it is never undone.
            key = self._vault.read_key(self._session, key.number, key.generation)
        return not key.is_complete

    def _new(self, owner: int) -> bytes:
        """Make the key of an owner, and return it wrapped."""
        key = new_key()
        self._known[owner] = KeySealer(key)
        return self._wraps(self.current).seal(key, self._context_of(owner))

    def _unwrapped(self, owner: int, generation: int, wrapped: bytes) -> KeySealer:
        """Raises SealedOtherwiseError, and CollectionSealed."""
        key = self._wraps(self._key(generation)).open(wrapped, self._context_of(owner))
        return KeySealer(key)

    def _key(self, generation: int) -> CollectionKey:
        return self._vault.key(self._session, self._collection.number, generation)

    def _wraps(self, key: CollectionKey) -> KeySealer:
        return key.people if self._kind is PEOPLE else key.unknown_groups

    def _context_of(self, owner: int) -> bytes:
        return of_owner_key(self._kind.table.__tablename__, self._collection.number, owner)

    def _make_room(self, count: int) -> None:
        if len(self._known) + count > _MOST_IN_MEMORY:
            self._known.clear()


def seals_of(session: Session, collection: CollectionView, kind: OwnerTable) -> RowSeals:
    """Return the seals of a transaction, which are made once for each state of a collection."""
    made: dict[object, RowSeals] = session.info.setdefault(_IN_SESSION, {})
    key = collection.number, collection.key_generation, kind.table.__tablename__
    found = made.get(key)
    if found is None:
        found = made[key] = RowSeals(session, collection, kind)
    return found
