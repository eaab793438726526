"""The base of the parts of a gallery."""

from dataclasses import dataclass, replace

import structlog

from app.errors import Unavailable
from app.gallery.records import Erasure
from app.gallery.rollout.embedder_pair import Embedders
from app.gallery.store.gallery_store import Store
from app.gallery.sync.index_sync import Sync

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class GalleryPart:
    """A part of a gallery: the use cases of one feature, each method one transaction.

    Writes go to the database first and to the index after the commit, so that what was acknowledged
    is on disk and what is in the index is true. All methods block.
    """

    store: Store
    sync: Sync
    embedders: Embedders

    def make_room(self) -> bool:
        """Return whether there is more room on the disk now, for an erasure."""
        return self.store.database.make_room()

    def follow_change(self, name: str) -> None:
        """Bring the index up to a change that is committed, and so acknowledged in any case.

        A failure is logged and not raised, since the data is safe: the next search, which compares
        revisions first, brings the index up.
        """
        try:
            self.sync.catch_up(name)
        except Unavailable as error:
            _log.warning("index_behind", collection=name, cause=str(error))
        except Exception:  # noqa: BLE001  (see above; it is logged with its traceback)
            _log.exception("index_behind", collection=name)

    def compacted(self, receipt: Erasure, collection_number: int | None = None) -> Erasure:
        """Overwrite or remove at once what files still hold of what was deleted."""
        if collection_number is not None:
            self.sync.erase(collection_number)
        return replace(receipt, compacted=self.store.database.compact())
