"""What PostgreSQL's write-ahead log (WAL) and its copies hold of earlier changes.

The log holds rows as they were written, and pages as they were after a checkpoint. A segment, a
file of 16 MB, is needed until the second checkpoint after it. Then the server removes the file, or,
with `wal_recycle`, its default, gives it a later name: its bytes stay until they are overwritten,
which may take days. So only a server that does not recycle can be known to hold nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

from sqlalchemy import Connection, text

from app.gallery.store.remains import Remains, Where

_ROUNDS = 40
_LOG_ID = slice(8, 24)
"""The part of a segment's name that counts segments; before it is the timeline."""

_FACTS = text(
    """
    SELECT current_setting('wal_recycle', true) AS recycle,
           current_setting('archive_mode') AS archive_mode,
           pg_is_in_recovery() AS in_recovery,
           (SELECT string_agg(slot_name::text, ', ' ORDER BY slot_name) FROM pg_replication_slots)
               AS slots,
           (SELECT count(*) FROM pg_stat_replication) AS replicas,
           has_function_privilege('pg_ls_waldir()', 'EXECUTE')
               AND has_function_privilege('pg_switch_wal()', 'EXECUTE')
               AND (SELECT rolsuper OR EXISTS (SELECT FROM pg_roles WHERE rolname = 'pg_checkpoint'
                        AND pg_has_role(current_user, oid, 'USAGE'))
                    FROM pg_roles WHERE rolname = current_user) AS may_empty
    """
)
_FILES = text(
    "SELECT name, modification < to_timestamp(:since) AS is_old FROM pg_ls_waldir()"
    " WHERE name ~ '^[0-9A-F]{24}$'"
)


@dataclass(frozen=True, slots=True)
class WalFacts:
    """How the server treats its log. `may_empty`: this user may have it emptied."""

    recycle: str | None
    archive_mode: str
    in_recovery: bool
    slots: str | None
    replicas: int
    may_empty: bool

    def copies(self) -> list[Remains]:
        """Return what else may hold what the log holds."""
        found = []
        if self.archive_mode != "off":
            detail = f"archive_mode = {self.archive_mode}"
            found.append(Remains(Where.WAL_ARCHIVE, detail=detail))
        if self.replicas or self.slots:
            slots = f"; slots: {self.slots}" if self.slots else ""
            detail = f"{self.replicas} connected{slots}"
            found.append(Remains(Where.REPLICAS, detail=detail))
        return found


def wal_facts(connection: Connection) -> WalFacts:
    return WalFacts(**connection.execute(_FACTS).one()._mapping)  # noqa: SLF001  (public in SQLAlchemy)


def wal_remains(position: str | None = None, why: str | None = None) -> Remains:
    """What the log holds, up to a position."""
    known = [f"before {position}" if position else None, why]
    return Remains(Where.WAL, detail="; ".join(filter(None, known)) or None)


def empty_wal(connection: Connection, facts: WalFacts, *, within_s: float) -> list[Remains]:
    """Have the server remove the log that was written so far, where it can be known to do so.

    Returns what remains. Requires a connection that commits each statement by itself.
    """
    if facts.in_recovery:
        return [wal_remains(why="this server is a replica")]
    position = str(connection.scalar(text("SELECT pg_current_wal_insert_lsn()")))
    if facts.recycle != "off":
        return [wal_remains(position, "wal_recycle = on")]
    if not facts.may_empty:
        return [wal_remains(position, "this user may not empty it")]
    until = monotonic() + within_s
    since = connection.scalar(text("SELECT extract(epoch FROM clock_timestamp())"))
    last = str(connection.scalar(text("SELECT pg_walfile_name(:lsn)"), {"lsn": position}))
    clean_before = False
    for _ in range(_ROUNDS):
        # A record, as an empty segment is not ended.
        connection.execute(text("SELECT pg_logical_emit_message(false, 'vultus', '')"))
        connection.execute(text("SELECT pg_switch_wal()"))
        connection.exec_driver_sql("CHECKPOINT")
        clean = _is_clean(connection, last, float(since or 0))
        if clean and clean_before:  # so that the segment which is written now was made anew
            return []
        clean_before = clean
        if monotonic() > until:
            break
    return [wal_remains(position, _why_kept(facts))]


def _is_clean(connection: Connection, last: str, since: float) -> bool:
    """Return whether no segment up to `last` is left, nor a recycled one for later."""
    files: Sequence[tuple[str, bool]] = [
        (row.name, row.is_old) for row in connection.execute(_FILES, {"since": since})
    ]
    current = str(connection.scalar(text("SELECT pg_walfile_name(pg_current_wal_lsn())")))
    return all(
        name[_LOG_ID] > last[_LOG_ID] and not (is_old and name[_LOG_ID] > current[_LOG_ID])
        for name, is_old in files
        if re.fullmatch("[0-9A-F]{24}", name)
    )


def _why_kept(facts: WalFacts) -> str:
    if facts.slots:
        return f"kept for replication slots: {facts.slots}"
    return "the server keeps it (wal_keep_size, archiving, or a long backup)"
