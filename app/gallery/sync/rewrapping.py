"""What lies under the key of a collection beside its rows: keys of snapshots, and rotations."""

from app.gallery.store.database import Database
from app.gallery.store.gallery_store import Store
from app.gallery.sync.database_snapshot_keys import rewrap_snapshot_keys
from app.gallery.sync.spaces import rewrap_spaces


def rewrap(database: Database, collection_number: int) -> None:
    """Wrap all of it by the key that the collection has now, so that earlier keys may go.

    What does not open any more is left: its snapshot is written anew, its vectors are uploaded
    again.
    """
    with Store(database).writing_all() as collections:
        collection = collections.find_by_number(collection_number)
        if collection is not None:
            rewrap_snapshot_keys(database.vault, collections, collection_number)
            rewrap_spaces(database.vault, collections, collection)
