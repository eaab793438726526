"""Encryption in a process that halts within a transaction, so that it can be killed there."""

from multiprocessing.connection import Connection
from threading import Event
from typing import Any

from app.gallery.store.database import Database
from app.gallery.vault import encrypting
from app.gallery.vault.encryption import Encryption
from tests.gallery.vault.vaults import with_masters


def encrypt_and_halt(url: str, halts_in: int, halted: Connection) -> None:
    """Seal a row a transaction, until `halts_in` of them have written; send a word, and wait for
    the end."""
    seal, turns = Encryption._seal_rows, []

    def halting(*arguments: Any) -> None:
        seal(*arguments)
        turns.append(arguments)
        if len(turns) == halts_in:
            halted.send("halted")
            Event().wait()

    Encryption._seal_rows = halting  # type: ignore[method-assign, assignment]
    encrypting.ROWS_AT_ONCE = 1
    Encryption(with_masters(Database(url, timeout_s=30))).encrypt()
