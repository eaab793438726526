"""A second look at the faces whose embedding did not open."""

from collections.abc import Sequence

from app.gallery.store.database import Database
from app.gallery.store.gallery_store import Store


def count_in(database: Database, names: Sequence[str]) -> int:
    """Return how many faces of these collections did not open. Blocks."""
    unreadable = database.vault.unreadable
    if not unreadable.count():
        return 0
    with Store(database).reading_all() as collections:
        found = map(collections.find, names)
        numbers = {collection.number for collection in found if collection is not None}
    return unreadable.count(numbers)


def recheck(database: Database) -> set[int]:
    """Forget faces that are gone, and those whose row was restored. Blocks.

    Returns the numbers of the collections with the latter: their indexes, which have no vector of
    these faces, are to be built anew.
    """
    restored = set()
    unreadable = database.vault.unreadable
    for (number, digest), noted in unreadable.by_embedder().items():
        with Store(database).reading_all() as collections:
            collection = collections.find_by_number(number)
            view = None if collection is None else collection.by(digest)
            if view is None:
                unreadable.forget(number, digest, noted)
                continue
            faces = collections.within(view).faces
            ids = faces.ids_by_number(noted)
            vectors = faces.vectors_of(list(ids))
        opened = {ids[one] for one, vector in vectors.items() if vector.any()}
        there = {ids[one] for one in vectors}
        unreadable.forget(number, digest, opened | (noted - there))
        if opened:
            restored.add(number)
    return restored
