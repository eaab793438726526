"""Statements that go past SQLAlchemy read what it reads."""

from app.gallery.records import CollectionChanges
from app.gallery.store.database import Database
from tests.gallery.factories import COLLECTION, new_gallery


def test_view_of_a_collection_is_the_same_until_its_row_changes(database: Database) -> None:
    gallery = new_gallery(database)
    gallery.open()
    with gallery.store.reading(COLLECTION) as first, gallery.store.reading(COLLECTION) as again:
        assert again.collection == first.collection

    gallery.collections.update(COLLECTION, CollectionChanges(description="Staff"))

    with gallery.store.reading(COLLECTION) as changed:
        assert changed.collection.description == "Staff"
    assert first.collection.description is None
