"""Hold every test of the gallery to it: a change of personal data has a line in the audit log."""

import re

from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import DBAPICursor

from app.gallery.journal.chain import AuditKey
from app.gallery.journal.journal import NoJournal
from app.gallery.store.database import Database

AUDIT_KEY = AuditKey(b"k" * 32)

_WITH_PERSONAL_DATA = {
    "identities",
    "attributes",
    "consents",
    "faces",
    "second_embeddings",
    "crops",
    "unknown_groups",
    "unknown_faces",
    "unknown_crops",
    "terminal_matches",
    "calibrations",
    "dismissals",
    "holds",
}
_CHANGE = re.compile(r"(?:^\s*|\()(?:INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)")
_CHANGED = "changed_tables"
_MIGRATES = "alembic_version"


def require_lines(database: Database) -> None:
    """Fail a commit that changes personal data without a line about it.

    A test that writes rows as an earlier version did sets `database.journal` to a NoJournal.
    """

    @event.listens_for(database.engine, "begin")
    def begin(connection: Connection) -> None:
        connection.info[_CHANGED] = set()

    @event.listens_for(database.engine, "after_cursor_execute")
    def note(connection: Connection, cursor: DBAPICursor, statement: str, *_: object) -> None:
        if cursor.rowcount:
            connection.info.setdefault(_CHANGED, set()).update(_CHANGE.findall(statement))

    @event.listens_for(database.engine, "commit")
    def look(connection: Connection) -> None:
        if isinstance(database.journal, NoJournal) or _MIGRATES in connection.info.get(
            _CHANGED, ()
        ):
            return
        changed = connection.info.get(_CHANGED, set())
        without = changed & _WITH_PERSONAL_DATA
        assert not without or "audit_lines" in changed, f"no line about {without}"
