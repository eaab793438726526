"""The Milvus collections that follow a collection: their names, positions and spaces."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from app.gallery.index.rotation import Rotation
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.database import Database
from app.gallery.store.repositories.position_repository import Position
from app.gallery.store.repositories.space_repository import Role
from app.gallery.store.transaction import Collections
from app.gallery.sync.spaces import Space, SpaceLostError, Spaces

PREFIX = "vultus"
_MOST_WITNESSES = 64


@dataclass(frozen=True, slots=True)
class Track:
    """One Milvus collection: its name, the rotation of its vectors, and where its position is."""

    name: str
    where: str
    rotation: Rotation | None


class Tracks:
    """The tracks of a database's collections in one Milvus."""

    def __init__(self, database: Database, address: str) -> None:
        self._where = f"milvus:{_hash(address)}"
        self._spaces = Spaces(database)

    def serving(self, collections: Collections, collection: CollectionView) -> Track | None:
        """Return what is searched; None when its rotation is lost, see `begin`."""
        try:
            space = self._spaces.find(collections, collection, Role.CURRENT)
        except SpaceLostError:
            return None
        return self._track(collection, space)

    def coming(self, collections: Collections, collection: CollectionView) -> Track | None:
        """Return what is filled to be searched next; None when there is none."""
        try:
            space = self._spaces.find(collections, collection, Role.NEXT)
        except SpaceLostError:
            return None
        return None if space is None else self._track(collection, space)

    def begin(self, collections: Collections, collection: CollectionView) -> None:
        """Give a collection its first space, or another one for one that is lost."""
        try:
            self._spaces.find(collections, collection, Role.CURRENT)
        except SpaceLostError:
            collections.spaces(collection).remove(Role.CURRENT)
        collections.spaces(collection).forget_other_embedders()
        collections.positions(self._where).forget_spaces(collection.number)
        self._spaces.make(collections, collection, Role.CURRENT)

    def begin_coming(self, collections: Collections, collection: CollectionView) -> None:
        """Let a collection have another space, once that is filled."""
        try:
            self._spaces.find(collections, collection, Role.NEXT)
        except SpaceLostError:
            collections.spaces(collection).remove(Role.NEXT)
        self._spaces.make(collections, collection, Role.NEXT)

    def switch(self, collections: Collections, collection: CollectionView) -> None:
        """Search what was filled from now on, and forget how far the one before had come."""
        coming = self.coming(collections, collection)
        if coming is None:
            return
        collections.positions(self._where).remove(collection.number)
        collections.positions(self._where).forget_spaces(collection.number, kept=coming.where)
        collections.spaces(collection).promote()
        collections.spaces(collection).forget_other_embedders()

    def positions(
        self, collections: Collections, present: Sequence[CollectionView]
    ) -> dict[int, Position]:
        """Return the positions of what is searched, by collection number."""
        found = collections.positions(self._where).everything()
        for collection in present:
            if collection.key_generation is not None:
                track = self.serving(collections, collection)
                found.pop(collection.number, None)
                if track is not None:
                    position = collections.positions(track.where).find(collection.number)
                    if position is not None:
                        found[collection.number] = position
        return found

    def names(self, collections: Collections, present: Sequence[CollectionView]) -> set[str]:
        """Return the names of all Milvus collections that are wanted."""
        tracks = [
            track
            for collection in present
            for track in (
                self.serving(collections, collection),
                self.coming(collections, collection),
            )
        ]
        return {track.name for track in tracks if track is not None}

    def _track(self, collection: CollectionView, space: Space | None) -> Track:
        name = _name(collection)
        if space is None:
            return Track(name, self._where, None)
        short = space.id[:8]
        return Track(f"{name}_{short}", f"{self._where}:{short}", space.rotation)


def witness(collection: CollectionView) -> str:
    """Identifies a collection among those of other databases, which may have the same number."""
    return _hash(f"{collection.number} {collection.created_at.isoformat()}")


def description(present: Sequence[CollectionView], own: CollectionView) -> str:
    """Describe by which collections this database can prove later that it made the index."""
    oldest = sorted(present, key=lambda collection: collection.number)[:_MOST_WITNESSES]
    witnesses = {witness(collection) for collection in [own, *oldest]}
    return json.dumps({"made_by": "vultus", "witnesses": sorted(witnesses)})


def _name(collection: CollectionView) -> str:
    """Name a collection's Milvus collection; it depends on the embedder and the database."""
    digest = re.sub(r"[^0-9A-Za-z]", "_", collection.digest)[:12]
    return f"{PREFIX}_{collection.number}_{digest}_{witness(collection)}"


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8")).hexdigest()[:16]
