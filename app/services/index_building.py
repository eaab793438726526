"""The indexes of collections, as the settings configure them."""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from app.constants import CONSTANTS, Constants
from app.errors import StartupError
from app.gallery.index.faiss_index import FaissIndex
from app.gallery.index.index_options import IndexOptions
from app.gallery.index.protocol import LocalIndex, MakeIndex
from app.gallery.store.database import Database
from app.gallery.sync.database_snapshot_keys import DatabaseSnapshotKeys
from app.gallery.sync.index_sync import IndexSync, Sync
from app.gallery.sync.snapshot_check import SnapshotCheck, check_snapshots
from app.gallery.sync.snapshots import SnapshotStore
from app.settings import Settings

if TYPE_CHECKING:
    from app.gallery.milvus.milvus_sync import MilvusSync

_REPORTED_EVERY_S = 1.0


def build_sync(
    settings: Settings,
    database: Database,
    digests: Sequence[str] = (),
    constants: Constants = CONSTANTS,
) -> Sync:
    """Build the indexes as the settings say, for the embedders `digests`.

    Raises StartupError when Milvus cannot be used.
    """
    if settings.index.milvus_uri is not None:
        return _milvus_sync(settings, settings.index.milvus_uri, database)
    return IndexSync(
        database,
        _index_maker(constants),
        snapshots=_snapshots(settings, database),
        snapshot_above=constants.snapshot_above,
        digests=digests,
    )


def rebuild_in_milvus(
    settings: Settings,
    database: Database,
    names: Sequence[str],
    *,
    anew: bool,
    report: Callable[[str, int, int], None],
) -> dict[str, int]:
    """Fill Milvus with what it lacks of these collections, or with all of them if `anew`.

    `report` is called each second with the name, the faces that are there, and those that will be.
    Returns the faces that were sent, by name. Raises StartupError without Milvus in the settings,
    CollectionNotFound and IndexUnavailable.
    """
    if settings.index.milvus_uri is None:
        raise StartupError(
            "VULTUS_INDEX__MILVUS_URI is not set; vultus index verify renews the files of the "
            "index in memory"
        )
    sync = _milvus_sync(settings, settings.index.milvus_uri, database)
    sent = {}
    try:
        for name in names:
            filling = sync.begin_rebuild(name, anew=anew)
            report(name, filling.done, filling.total)
            while not sync.bring_further(name, within_s=_REPORTED_EVERY_S):
                report(name, min(filling.done + sync.uploaded_faces, filling.total), filling.total)
            report(name, filling.total, filling.total)
            sent[name] = sync.uploaded_faces
    finally:
        sync.close()
    return sent


def check_index(
    settings: Settings,
    database: Database,
    *,
    repair: bool,
    report: Callable[[SnapshotCheck], None],
    constants: Constants = CONSTANTS,
) -> bool:
    """Compare the snapshots of the indexes with the database; return whether all agreed.

    `constants` are those of the service that writes the snapshots.
    """
    return check_snapshots(
        database,
        _snapshots(settings, database),
        _index_maker(constants),
        repair=repair,
        snapshot_above=constants.snapshot_above,
        report=report,
    )


def _milvus_sync(settings: Settings, uri: str, database: Database) -> "MilvusSync":
    # Here, because the client of Milvus is an optional package.
    from app.gallery.milvus.connection import Milvus  # noqa: PLC0415
    from app.gallery.milvus.milvus_sync import MilvusSync  # noqa: PLC0415

    token = settings.index.milvus_token
    return MilvusSync(
        database,
        Milvus(
            uri,
            token="" if token is None else token.get_secret_value(),
            index=settings.index.milvus_index,
        ),
        fallback=_exact_index if settings.index.milvus_fallback == "exact" else None,
    )


def _exact_index(dimension: int) -> LocalIndex:
    """An index that is exact at any size, as it only replaces Milvus for a while."""
    return FaissIndex(dimension, IndexOptions(exact_up_to=sys.maxsize))


def _index_maker(constants: Constants) -> MakeIndex:
    options = IndexOptions(exact_up_to=constants.exact_up_to, listed_above=constants.listed_above)
    return lambda dimension: FaissIndex(dimension, options)


def remove_snapshots(settings: Settings, database: Database, collection_number: int) -> None:
    """Remove the snapshots of a collection on this machine; a server makes them again."""
    _snapshots(settings, database).remove(collection_number)


def _snapshots(settings: Settings, database: Database) -> SnapshotStore:
    return SnapshotStore(settings.snapshots_dir, DatabaseSnapshotKeys(database))
