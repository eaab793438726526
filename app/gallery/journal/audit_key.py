"""The key of the audit log: of the settings, or made once and kept in the data folder."""

import os
import secrets
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from app.errors import StartupError
from app.gallery.journal.chain import AuditKey

_BYTES = 32
_FILE = "audit.key"


def load_audit_key(setting: str | None, folder: Path) -> AuditKey:
    """Return the key of the settings, else that of the folder, which is made if it is missing.

    Raises StartupError with the remedy.
    """
    if setting is not None:
        return AuditKey(_decoded(setting, "VULTUS_AUDIT__KEY"))
    path = folder / _FILE
    try:
        if not path.exists():
            _make(path)
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StartupError(
            f"the key of the audit log, {path}, cannot be read or made ({error}); run as the user "
            "of the service, or set VULTUS_AUDIT__KEY"
        ) from error
    return AuditKey(_decoded(text, str(path)))


def former_keys(settings: Sequence[str]) -> list[AuditKey]:
    """Return earlier keys, for lines that they signed. Raises StartupError with the remedy."""
    return [AuditKey(_decoded(text, "VULTUS_AUDIT__FORMER_KEYS")) for text in settings]


def _decoded(text: str, source: str) -> bytes:
    try:
        key = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        key = b""
    if len(key) != _BYTES:
        raise StartupError(
            f"{source} must be 32 bytes in base64, as `openssl rand -base64 32` prints"
        )
    return key


def _make(path: Path) -> None:
    """Make the file at once with its content, and only one of it, whichever process is first."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(b64encode(secrets.token_bytes(_BYTES)).decode("ascii") + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
        _sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
