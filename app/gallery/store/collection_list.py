"""All collections of a database, without a network or an index."""

from app.gallery.records import Collection
from app.gallery.store.database import Database
from app.gallery.store.repositories.collection_repository import CollectionRepository

_PAGE = 500


def all_collections(database: Database) -> list[Collection]:
    """List collections in the order in which they were created. Blocks."""
    found: list[Collection] = []
    after = 0
    with database.reading() as session:
        collections = CollectionRepository(session)
        while rows := collections.page(after=after, limit=_PAGE):
            found += map(collections.record, rows)
            after = rows[-1].number
    return found


def collection_named(database: Database, name: str) -> Collection:
    """Raises CollectionNotFound. Blocks."""
    with database.reading() as session:
        collections = CollectionRepository(session)
        return collections.record(collections.get(name))
