"""What may remain of what was erased, in words for those who answer for data protection."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from pydantic import Field, model_validator

from app.api.schemas.parts.answer import Answer
from app.gallery.store.remains import Remains, Where


class _Words(NamedTuple):
    what: str
    ends: str
    remedy: str


WORDS: Final[Mapping[Where, _Words]] = {
    Where.DEAD_ROWS: _Words(
        "The files of PostgreSQL's tables hold the deleted rows. No query finds them; who can read "
        "the files can.",
        "when the tables are rewritten; a plain VACUUM leaves most of the bytes",
        "delete with compact=true, or run vultus compact; tables that are large or in use are "
        "rewritten by vultus compact --full in a quiet hour, as requests wait meanwhile",
    ),
    Where.WAL: _Words(
        "PostgreSQL's write-ahead log holds rows as they were written, and pages that they were "
        "in.",
        "when the server has removed the files of that time, or has overwritten them: after two "
        "checkpoints at the earliest, and after days where little is written",
        "set wal_recycle = off on the server, permit pg_switch_wal, pg_ls_waldir and CHECKPOINT "
        "(pg_checkpoint) to the service's user, and run vultus compact",
    ),
    Where.WAL_ARCHIVE: _Words(
        "The server archives its write-ahead log; the archive holds what the log held.",
        "when your retention of the archive ends",
        "delete archived log, and base backups that need it, that are older than the erasure",
    ),
    Where.REPLICAS: _Words(
        "Replicas of the server, or replication slots, hold the log; replicas have files of their "
        "own, which follow those of the server.",
        "when the replicas have followed and have removed their log",
        "drop replication slots that nobody uses; see pg_stat_replication",
    ),
    Where.SQLITE_LOG: _Words(
        "SQLite's write-ahead log (the file that ends in -wal) holds earlier states of pages.",
        "with the next sweep, which empties it once no reader needs it",
        "run vultus compact",
    ),
    Where.INDEX_SNAPSHOT: _Words(
        "Snapshots of the index hold the embeddings; where several machines serve one database, "
        "each has its own.",
        "when the snapshot is renewed",
        "delete with compact=true, which removes that of the machine which answers",
    ),
    Where.MILVUS: _Words(
        "Milvus marks vectors as deleted, and rewrites its files later.",
        "when Milvus has compacted its segments and has dropped the old ones, by its own settings",
        "compact=true starts the compaction; see dataCoord.gc.dropTolerance of Milvus",
    ),
    Where.BACKUPS: _Words(
        "Backups of the database, of disks and of virtual machines, and archives made by vultus "
        "export, hold who was there when they were made. The service does not see them.",
        "when you delete them",
        "delete them by your own rules; after a restore, delete the person again by the receipt",
    ),
}


_SEALED: Final = (
    "Embeddings and crops in it are encrypted; their key was destroyed, and a copy of it that is "
    "there, wrapped, opens with the master key alone. Names, keys and attributes are in the clear."
)
_ROTATE: Final = (
    "For what is encrypted: change the keys of the collection, and then destroy the former master "
    "key; see docs/encryption.md"
)


class RemainsBody(Answer):
    """A place that may still hold something of what was erased."""

    where: Where = Field(description="Stable; new ones may be added.")
    until: datetime | None = Field(
        description="The moment by which it ends by itself; null where the service does not know."
    )
    detail: str | None = Field(description="Facts: names of tables, a position in the log.")
    sealed: bool = Field(
        description="Embeddings and crops in it are sealed, and the key of the person is destroyed."
    )
    what: str
    ends: str = Field(description="What ends it.")
    remedy: str = Field(description="What ends it sooner.")

    @model_validator(mode="before")
    @classmethod
    def _with_words(cls, value: Any) -> Any:  # noqa: ANN401  (pydantic's own)
        if not isinstance(value, Remains):
            return value
        what, ends, remedy = WORDS[value.where]
        return {
            "where": value.where,
            "until": value.until,
            "detail": value.detail,
            "sealed": value.sealed,
            "what": f"{what} {_SEALED}" if value.sealed else what,
            "ends": ends,
            "remedy": f"{remedy}. {_ROTATE}" if value.sealed else remedy,
        }


RemainsList = list[RemainsBody] | None
REMAINS: Final = (
    "The places that may still hold something of it, and what ends that. Null: not looked at, as "
    "in an answer that is repeated for an Idempotency-Key, or while the database did not answer."
)
COMPACTED: Final = (
    "True: nothing of it is left in the files of the service and of the database's server; "
    "`remains` then names backups alone."
)
