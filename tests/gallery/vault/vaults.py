"""Databases with a master key."""

from collections.abc import Sequence

from app.gallery.store.database import Database
from app.gallery.vault.master_key import MasterKey
from app.gallery.vault.vault import Vault

MASTER, OTHER_MASTER = MasterKey(b"m" * 32), MasterKey(b"o" * 32)


def with_masters(database: Database, masters: Sequence[MasterKey] = (MASTER,)) -> Database:
    """The database as a process has it whose settings name these master keys, or none."""
    database.vault = Vault(database, lambda: masters, is_on=bool(masters))
    return database
