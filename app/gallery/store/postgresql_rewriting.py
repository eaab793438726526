"""Rewrite tables of PostgreSQL, so that their files hold no deleted rows.

A deleted row stays in its page. VACUUM releases its place and moves other rows of the page, and
leaves its bytes where they are; in the table of long values (TOAST) as well. VACUUM FULL writes the
rows that are there into a new file. It locks the table meanwhile, so that large tables are left to
who may choose the hour.

ANALYZE keeps samples of columns, names among them, in the table `pg_statistic`: they are taken anew
from the rows that are there, and it is rewritten as well. Columns of embeddings have no samples.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

if TYPE_CHECKING:
    from psycopg.errors import Diagnostic

LARGE_BYTES: Final = 128 * 1024 * 1024
"""Above this size, with indexes and TOAST, a table is not rewritten unless asked for. Some 0.5 s a
100 MB on a machine of two cores."""

_SAMPLES: Final = "pg_statistic"
_LOCK_WITHIN_MS = 500
"""So long others may wait behind a lock that is waited for itself."""
_AGAIN_S = 0.05
_LOCK_NOT_AVAILABLE = "55P03"
_NUMBER = re.compile(r"\d+")


def rewrite(
    connection: Connection, tables: Sequence[str], *, most_bytes: int | None, within_s: float
) -> tuple[str, ...]:
    """Rewrite tables and their samples; return those whose files may still hold deleted rows.

    These are tables larger than `most_bytes`, tables that others used for longer than `within_s`,
    tables with rows that transactions which began before the deletion may still see, and those that
    this user may not rewrite. `connection` commits each statement by itself.
    """
    until = monotonic() + within_s
    connection.exec_driver_sql(f"SET lock_timeout = {_LOCK_WITHIN_MS}")
    try:
        left = tuple(
            table
            for table in tables
            if not _rewritten(connection, table, most_bytes=most_bytes, until=until)
        )
        taken_anew = _try(connection, f"ANALYZE {', '.join(tables)}") and _rewritten(
            connection, _SAMPLES, most_bytes=None, until=until
        )
        return left if taken_anew else (*left, _SAMPLES)
    finally:
        connection.exec_driver_sql("RESET lock_timeout")


def _rewritten(connection: Connection, table: str, *, most_bytes: int | None, until: float) -> bool:
    size = connection.scalar(text("SELECT pg_total_relation_size(:table)"), {"table": table})
    if most_bytes is not None and (size or 0) > most_bytes:
        connection.exec_driver_sql(f"VACUUM {table}")
        return False
    while True:
        before = _file_of(connection, table)
        with _deleted_rows_kept(connection) as kept:
            if _try(connection, f"VACUUM (FULL, VERBOSE) {table}"):
                if _file_of(connection, table) == before:  # PostgreSQL only warns: not permitted
                    return False
                if not any(kept):
                    return True
        if monotonic() > until:
            return False
        sleep(_AGAIN_S)


def _try(connection: Connection, statement: str) -> bool:
    """Return False when others held the table."""
    try:
        connection.exec_driver_sql(statement)
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        return False
    return True


def _file_of(connection: Connection, table: str) -> int:
    found = connection.scalar(text("SELECT pg_relation_filenode(:table)"), {"table": table})
    return int(found or 0)


@contextmanager
def _deleted_rows_kept(connection: Connection) -> Iterator[list[int]]:
    """Collect how many deleted rows VACUUM says it kept, as older transactions may see them."""
    driver: Any = connection.connection.driver_connection
    kept: list[int] = []

    def note(notice: "Diagnostic") -> None:
        found = _NUMBER.search(notice.message_detail or "")  # in any language it comes first
        if found:
            kept.append(int(found.group()))

    driver.add_notice_handler(note)
    try:
        yield kept
    finally:
        driver.remove_notice_handler(note)
