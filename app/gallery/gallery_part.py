"""The base of the parts of a gallery."""

from dataclasses import dataclass, replace
from functools import partial

import structlog

from app.errors import Unavailable
from app.gallery.records import Erasure
from app.gallery.rollout.embedder_pair import Embedders
from app.gallery.store.gallery_store import Store
from app.gallery.store.remains import Remains, is_compacted, known_remains, left_in_index
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

    def finished(
        self, receipt: Erasure, *, compact: bool, collection_number: int | None = None
    ) -> Erasure:
        """Return the receipt with what remains in files; `compact`: after these were rewritten.

        `collection_number`: of the collection, if it is still there.
        """
        look = partial(self._rewritten if compact else self._kept, collection_number)
        remains = known_remains(look, receipt.receipt_id)
        if remains is not None and receipt.is_sealed:
            remains = tuple(one.of_sealed() for one in remains)
        return replace(receipt, remains=remains, compacted=is_compacted(remains))

    def _kept(self, collection_number: int | None) -> tuple[Remains, ...]:
        in_index = () if collection_number is None else self.sync.remains(collection_number)
        return *in_index, *self.store.database.remains()

    def _rewritten(self, collection_number: int | None) -> tuple[Remains, ...]:
        database = self.store.database
        in_index: tuple[Remains, ...] = ()
        if collection_number is not None:
            found = self.sync.remains(collection_number)
            reached_all = self.sync.erase(collection_number) or database.dialect == "sqlite"
            in_index = left_in_index(found, reached_all=reached_all)
        return *in_index, *database.compact()
