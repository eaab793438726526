"""Lines about exports: each carries all people of a collection away."""

from collections.abc import Sequence

from app.gallery.journal.actions import Action
from app.gallery.store.database import Database
from app.gallery.store.gallery_store import Store
from app.gallery.transfer.export_source import chosen_collections


def note_export(database: Database, names: Sequence[str]) -> None:
    """Write a line for each of these collections, or for all.

    Raises CollectionNotFound and DatabaseUnavailable.
    """
    with Store(database).writing_all() as collections:
        for collection in chosen_collections(collections, names):
            collections.note(Action.COLLECTION_EXPORTED, collection)
