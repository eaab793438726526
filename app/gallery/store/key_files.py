"""Secret keys of 32 bytes: of the settings, or made once and kept in a file of the data folder."""

import os
import secrets
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from contextlib import suppress
from pathlib import Path

from app.errors import StartupError
from app.gallery.store.durable_files import flush_folder

_BYTES = 32


def key_of(setting: str | None, path: Path, *, name: str, what: str) -> bytes:
    """Return the key of a setting, else that of a file, which is made if it is missing.

    `name` is the setting's, `what` is what the key is for. Raises StartupError with the remedy.
    """
    if setting is not None:
        return decoded_key(setting, name)
    try:
        if not path.exists():
            _make(path)
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StartupError(
            f"the key of {what}, {path}, cannot be read or made ({error}); run as the user of the "
            f"service, or set {name}"
        ) from error
    return decoded_key(text, str(path))


def decoded_key(text: str, source: str) -> bytes:
    """Return a key from base64. Raises StartupError, which names its source."""
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
        flush_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)
