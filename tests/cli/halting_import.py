"""An import in a process that halts within a transaction, so that it can be killed there."""

from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event
from typing import Any

from app.gallery.store.database import Database
from app.gallery.transfer import importer
from app.gallery.transfer.import_target import CollectionTarget

PEOPLE_AT_ONCE = 4
HALTS_IN = 13
"""The transaction that is not ended."""


def import_and_halt(url: str, archive: Path, halted: Connection) -> None:
    """Import until the 13th transaction has written, send a word, and wait for the end."""
    add, turns = CollectionTarget._add, []

    def halting(*arguments: Any) -> Any:
        added = add(*arguments)
        turns.append(added)
        if len(turns) == HALTS_IN:
            halted.send("halted")
            Event().wait()
        return added

    CollectionTarget._add = halting  # type: ignore[method-assign, assignment]
    importer._PEOPLE_AT_ONCE = PEOPLE_AT_ONCE
    importer.import_gallery(Database(url, timeout_s=30), archive)
