"""The keys of the audit log: of the settings, or made once and kept in the data folder."""

from collections.abc import Sequence
from pathlib import Path

from app.gallery.journal.chain import AuditKey
from app.gallery.store.key_files import decoded_key, key_of

_FILE = "audit.key"


def load_audit_key(setting: str | None, folder: Path) -> AuditKey:
    """Return the key of the settings, else that of the folder, which is made if it is missing.

    Raises StartupError with the remedy.
    """
    what = "the audit log"
    return AuditKey(key_of(setting, folder / _FILE, name="VULTUS_AUDIT__KEY", what=what))


def former_keys(settings: Sequence[str]) -> list[AuditKey]:
    """Return earlier keys, for lines that they signed. Raises StartupError with the remedy."""
    return [AuditKey(decoded_key(text, "VULTUS_AUDIT__FORMER_KEYS")) for text in settings]
