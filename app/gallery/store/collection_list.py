"""All collections of a database, without an embedder or an index."""

from app.gallery.records import Collection
from app.gallery.store.database import Database
from app.gallery.store.gallery_store import Store

_PAGE = 500


def all_collections(database: Database) -> list[Collection]:
    """List collections in the order in which they were created. Blocks."""
    found: list[Collection] = []
    after = 0
    with Store(database).reading_all() as collections:
        while rows := collections.page(after=after, limit=_PAGE):
            found += map(collections.record, rows)
            after = rows[-1].number
    return found


def collection_named(database: Database, name: str) -> Collection:
    """Raises CollectionNotFound. Blocks."""
    with Store(database).reading_all() as collections:
        return collections.record(collections.get(name))


def numbers_of(database: Database) -> list[int]:
    """The numbers of all collections. Blocks."""
    with Store(database).reading_all() as collections:
        return sorted(collections.numbers())
