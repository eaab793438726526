"""A copy of the audit log in a file, as JSON Lines, for a collector of logs (SIEM).

Each line is appended at least once, those of a chain in order. One process of a machine appends at
a time; it notes beside the file how far it has come, after the lines are on the disk.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from itertools import islice
from pathlib import Path

from app.gallery.journal.chain import line_document
from app.gallery.store.database import Database
from app.gallery.store.durable_files import flush_folder
from app.gallery.store.gallery_store import Store

_LINES_AT_ONCE = 1_000


class AuditFile:
    """Appends lines to `path`; how far, is in a file beside it, which ends in `.position`."""

    def __init__(self, database: Database, path: Path) -> None:
        self._store = Store(database)
        self._path = path
        self._position = path.with_name(f"{path.name}.position")

    def follow(self) -> int:
        """Append the lines that are new; return how many. Does nothing while another process does.

        Blocks. Raises OSError when a file cannot be written, and DatabaseUnavailable.
        """
        with self._turn() as is_ours:
            if not is_ours:
                return 0
            count = 0
            done = self._read_position()
            with self._store.reading_all() as collections:
                audit = collections.audit
                for ends in audit.ends():
                    after = done.get(str(ends.chain), 0)
                    if ends.head.sequence <= after:
                        continue
                    lines = audit.lines(ends.chain, above=after)
                    while some := list(islice(lines, _LINES_AT_ONCE)):
                        self._append([line_document(line) for line in some])
                        done[str(ends.chain)] = some[-1].sequence
                        self._write_position(done)
                        count += len(some)
            return count

    @contextmanager
    def _turn(self) -> Iterator[bool]:
        """Whether it is this process that appends, for as long as the block lasts."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = self._path.with_name(f"{self._path.name}.lock")
        with os.fdopen(os.open(lock, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            try:
                flock(file, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def _append(self, documents: list[dict[str, object]]) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        with os.fdopen(os.open(self._path, flags, 0o600), "a", encoding="utf-8") as file:
            file.writelines(json.dumps(document) + "\n" for document in documents)
            file.flush()
            os.fsync(file.fileno())

    def _read_position(self) -> dict[str, int]:
        try:
            text = self._position.read_text(encoding="ascii")
            return {chain: int(sequence) for chain, sequence in json.loads(text).items()}
        except FileNotFoundError:
            return {}

    def _write_position(self, done: dict[str, int]) -> None:
        draft = self._position.with_name(f"{self._position.name}.new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(done, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._position)
        flush_folder(self._position.parent)
