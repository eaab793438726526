"""The vault as the settings describe it."""

from app.gallery.vault.master_source import load_masters, names_master
from app.gallery.vault.vault import Reads, Vault
from app.settings import Settings


def vault_by(settings: Settings, database: Reads) -> Vault:
    """Return the vault of a database. The master key is read, or asked for, when it is needed."""
    return Vault(database, lambda: load_masters(settings), is_on=names_master(settings))
