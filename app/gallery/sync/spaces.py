"""The secret rotations of collections, kept sealed in the database.

They turn what leaves this service: the vectors in Milvus. In memory and in answers, embeddings are
in the space of their network. A collection that is not encrypted has none, since there is no key to
seal one by.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final
from uuid import uuid4

from app.gallery.index.rotation import Rotation
from app.gallery.journal.actions import Action
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.database import Database
from app.gallery.store.gallery_store import Store
from app.gallery.store.repositories.space_repository import Role, SealedSpace
from app.gallery.store.transaction import Collections
from app.gallery.vault.sealing import SealedOtherwiseError
from app.gallery.vault.vault import Vault

_PURPOSE: Final = "spaces"


@dataclass(frozen=True, slots=True)
class Space:
    """A rotation; its `id` is no secret."""

    id: str
    rotation: Rotation


class SpaceLostError(Exception):
    """A rotation does not open, as the key that sealed it was destroyed; another one is needed."""


class Spaces:
    """The spaces of a database's collections, in memory once they were opened. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, Space] = {}

    def find(
        self, collections: Collections, collection: CollectionView, role: Role
    ) -> Space | None:
        """Return a space; None when there is none. Raises SpaceLostError."""
        if collection.key_generation is None:
            return None
        rows = collections.spaces(collection)
        space_id = rows.ids().get(role)
        known = None if space_id is None else self._known.get(space_id)
        if known is not None or space_id is None:
            return known
        found = rows.find(role)
        if found is None:
            return None
        opened = self._opened(collection, found)
        self._known[opened.id] = opened
        return opened

    def make(self, collections: Collections, collection: CollectionView, role: Role) -> None:
        """Make a space unless the collection has one of this role."""
        sealer = self._database.vault.collection_sealer(collection.number, _PURPOSE)
        if sealer is None:
            return
        space_id = uuid4().hex
        matrix = Rotation.random(collection.dimension).to_bytes()
        sealed = sealer.seal(matrix, _context(collection, space_id))
        collections.spaces(collection).add(SealedSpace(space_id, role, sealed))

    def _opened(self, collection: CollectionView, space: SealedSpace) -> Space:
        sealer = self._database.vault.collection_sealer(collection.number, _PURPOSE)
        if sealer is None:
            raise SpaceLostError(space.id)
        try:
            matrix = sealer.open(space.sealed, _context(collection, space.id))
        except SealedOtherwiseError as error:
            raise SpaceLostError(space.id) from error
        return Space(space.id, Rotation.from_bytes(matrix))


def rewrap_spaces(vault: Vault, collections: Collections, collection: CollectionView) -> None:
    """Seal the rotations of a collection by the key that it has now."""
    sealer = vault.collection_sealer(collection.number, _PURPOSE)
    rows = collections.spaces(collection)
    if sealer is None:
        return
    for space in filter(None, map(rows.find, Role)):
        context = _context(collection, space.id)
        with suppress(SealedOtherwiseError):
            sealed = sealer.seal(sealer.open(space.sealed, context), context)
            rows.reseal(replace(space, sealed=sealed))


def renew_space(database: Database, name: str) -> bool:
    """Have a collection's vectors in Milvus turned by another rotation.

    A service with Milvus fills a second Milvus collection, searches the first one meanwhile, and
    drops it then. Return False where the collection is not encrypted. Raises CollectionNotFound.
    """
    spaces = Spaces(database)
    with Store(database).writing_all() as collections:
        collection = collections.lock(name)
        if collection.key_generation is None:
            return False
        collections.spaces(collection).remove(Role.NEXT)
        spaces.make(collections, collection, Role.NEXT)
        collections.note(Action.ENCRYPTION_SPACE_RENEWED, collection)
        collections.announce()
    return True


def _context(collection: CollectionView, space_id: str) -> bytes:
    return f"space:{collection.number}:{collection.digest}:{space_id}".encode()
