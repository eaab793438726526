"""The stateful machine of galleries, with two processes on one Milvus."""

from collections.abc import Callable
from itertools import count

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from app.gallery.gallery import Gallery
from app.gallery.milvus.connection import Milvus
from app.gallery.milvus.milvus_index import MilvusIndex
from app.gallery.milvus.milvus_sync import MilvusSync
from app.gallery.store.database import Database
from tests.gallery.factories import MODEL
from tests.gallery.test_machine import GalleryMachine
from tests.kit.exact_index import ExactIndex


class MilvusMachine(GalleryMachine):
    """Searches Milvus, and leaves nothing in it."""

    def __init__(self, new_database: Callable[[], Database], uri: str) -> None:
        self.uri = uri
        self.milvus = Milvus(uri)
        super().__init__(new_database, ExactIndex)

    def start(self) -> Gallery:
        # Each second look at a position finds it settled, and what came later is in the log alone.
        seconds = count(step=0.6)
        sync = MilvusSync(self.database, Milvus(self.uri), clock=lambda: next(seconds))
        gallery = Gallery(self.database, sync, MODEL)
        gallery.open()
        return gallery

    def teardown(self) -> None:
        names = {
            index.name
            for gallery in self.processes
            for index in gallery.sync._known.values()  # type: ignore[attr-defined]
        }
        try:
            super().teardown()
        finally:
            for name in names:
                MilvusIndex(self.milvus, name, MODEL.dimension).drop()
            self.milvus.close()


class StandaloneMachine(MilvusMachine):
    """A server takes 3 s to have a collection ready: of two in each example, none is lost."""

    lose_the_index = None  # type: ignore[assignment]


def test_any_history_leaves_what_a_dictionary_says_on_milvus(
    new_database: Callable[[], Database], uri: str
) -> None:
    """As `test_machine.py` does for indexes in memory."""
    is_lite = _is_lite(uri)
    run_state_machine_as_test(
        lambda: (MilvusMachine if is_lite else StandaloneMachine)(new_database, uri),  # type: ignore[arg-type]
        settings=settings(
            max_examples=4 if is_lite else 2,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            database=None,
        ),
    )


def _is_lite(uri: str) -> bool:
    milvus = Milvus(uri)
    try:
        return milvus.is_lite()
    finally:
        milvus.close()
