"""A copy of the audit log in a file, as JSON Lines, for a collector of logs (SIEM)."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from app.gallery.journal.chain import Line, line_document
from app.gallery.journal.line_follower import LineFollower
from app.gallery.store.database import Database


class AuditFile:
    """A file to which lines are appended. One that was renamed is begun again."""

    name = "file"
    again_s = 0.0  # what was written is on the disk

    def __init__(self, path: Path) -> None:
        self._path = path

    def require_there(self) -> None: ...

    def close(self) -> None: ...

    def deliver(self, lines: Sequence[Line]) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        with os.fdopen(os.open(self._path, flags, 0o600), "a", encoding="utf-8") as file:
            file.writelines(json.dumps(line_document(line)) + "\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())


def file_follower(database: Database, path: Path) -> LineFollower:
    """Append to `path`; how far, is in a file beside it, which ends in `.position`."""
    return LineFollower(database, AuditFile(path), path.with_name(f"{path.name}.position"))
