"""What files may still hold of what was erased."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import structlog

from app.errors import Unavailable

_log = structlog.get_logger(__name__)


class Where(StrEnum):
    """A place that may still hold it; stable codes."""

    DEAD_ROWS = "dead_rows"
    """Pages of PostgreSQL's tables: a deletion, and a plain VACUUM, leave the bytes there."""
    WAL = "wal"
    """PostgreSQL's write-ahead log."""
    WAL_ARCHIVE = "wal_archive"
    REPLICAS = "replicas"
    SQLITE_LOG = "sqlite_log"
    INDEX_SNAPSHOT = "index_snapshot"
    MILVUS = "milvus"
    BACKUPS = "backups"


@dataclass(frozen=True, slots=True)
class Remains:
    """A place that may still hold something of what was erased.

    `until`: the moment by which it ends by itself, None where the service does not know it.
    `detail`: facts, such as the names of tables. `sealed`: embeddings and crops in it are sealed,
    under keys that are destroyed; wrapped copies of these may be there as well.
    """

    where: Where
    until: datetime | None = None
    detail: str | None = None
    sealed: bool = False

    def of_sealed(self) -> "Remains":
        """The same of an encrypted collection. Of backups, and of Milvus, that is not known."""
        return replace(self, sealed=self.where not in (Where.BACKUPS, Where.MILVUS))


BACKUPS = Remains(Where.BACKUPS)
"""Always there: the service does not see them."""


def is_compacted(remains: Iterable[Remains] | None) -> bool:
    """Return whether nothing is left that the service and the server of the database know of."""
    return remains is not None and all(one.where is Where.BACKUPS for one in remains)


def left_in_index(found: Iterable[Remains], *, reached_all: bool) -> tuple[Remains, ...]:
    """Return what an erasure left of what was found in files of an index.

    `reached_all`: the snapshots of all machines are gone, or not readable any more. SQLite is of
    one machine; sealed snapshots lost their keys.
    """
    gone = {Where.INDEX_SNAPSHOT} if reached_all else set()
    return tuple(one for one in found if one.where not in gone)


def known_remains(
    look: Callable[[], tuple[Remains, ...]], receipt_id: str
) -> tuple[Remains, ...] | None:
    """Return what remains, or None while the database does not answer.

    What is erased is erased by then, and is acknowledged in any case.
    """
    try:
        return look()
    except Unavailable as error:
        _log.warning("remains_unknown", receipt_id=receipt_id, cause=str(error))
        return None
