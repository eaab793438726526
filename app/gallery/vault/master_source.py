"""Where the master key comes from: a file, a setting, or a command such as a KMS client.

Each gives lines of 32 bytes in base64. The first is the master key; those after it are former ones,
which open what is not re-wrapped yet. A file may also be the 32 bytes themselves.
"""

import os
import shlex
import stat
import subprocess
from base64 import b64decode
from binascii import Error as Base64Error
from pathlib import Path
from typing import Final

from app.errors import SettingUnusable
from app.gallery.vault.master_key import MasterKey
from app.gallery.vault.sealing import KEY_BYTES
from app.settings import Settings

SETTING: Final = "VULTUS_MASTER_KEY"
FILE: Final = "VULTUS_MASTER_KEY_FILE"
COMMAND: Final = "VULTUS_MASTER_KEY_COMMAND"

_WITHIN_S = 30.0
_MOST_BYTES = 65_536


def names_master(settings: Settings) -> bool:
    """Return whether the settings name a master key. Reads none."""
    return bool(_named(settings))


def load_masters(settings: Settings) -> tuple[MasterKey, ...]:
    """Return the master key and former ones; () where the settings name none.

    Runs the command, if that is what the settings name. Raises SettingUnusable.
    """
    named = _named(settings)
    if len(named) > 1:
        raise SettingUnusable(
            f"{' and '.join(named)} both name the master key; one of them is enough",
            setting=named[1],
        )
    if settings.master_key is not None:
        return _keys(settings.master_key.get_secret_value().replace(",", "\n").encode(), SETTING)
    if settings.master_key_file is not None:
        return _keys(_from_file(settings.master_key_file), FILE)
    if settings.master_key_command is not None:
        return _keys(_from_command(settings.master_key_command), COMMAND)
    return ()


def _named(settings: Settings) -> list[str]:
    given = {
        SETTING: settings.master_key,
        FILE: settings.master_key_file,
        COMMAND: settings.master_key_command,
    }
    return [name for name, value in given.items() if value is not None]


def _from_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_MOST_BYTES)
    except OSError as error:
        raise SettingUnusable(
            f"the file of the master key, {path}, cannot be read ({error.strerror})", setting=FILE
        ) from error
    # Those of its group may read it: Kubernetes mounts secrets so for a user that is not root.
    if mode & stat.S_IRWXO:
        raise SettingUnusable(
            f"other users may read or write the file of the master key, {path}; "
            f"run: chmod o= {shlex.quote(str(path))}",
            setting=FILE,
        )
    return content


def _from_command(command: str) -> bytes:
    """Return what the command prints, which is never logged; nor is what it says of an error."""
    try:
        words = shlex.split(command)
        done = subprocess.run(  # noqa: S603  (the operator's own command, without a shell)
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SettingUnusable(
            f"the command for the master key did not end within {_WITHIN_S:g} s", setting=COMMAND
        ) from None
    except (OSError, ValueError, IndexError) as error:
        raise SettingUnusable(
            f"the command for the master key cannot be run ({type(error).__name__})",
            setting=COMMAND,
        ) from None
    if done.returncode != 0:
        raise SettingUnusable(
            f"the command for the master key ended with status {done.returncode}", setting=COMMAND
        )
    return done.stdout[:_MOST_BYTES]


def _keys(content: bytes, source: str) -> tuple[MasterKey, ...]:
    if len(content) == KEY_BYTES:  # as long as no text of 32 bytes in base64 is
        return (MasterKey(content),)
    lines = [line.strip() for line in content.splitlines() if line.strip()]
    keys = [_decoded(line) for line in lines]
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise SettingUnusable(
            f"{source} must give 32 bytes in base64, as `openssl rand -base64 32` prints, and "
            "former keys on further lines",
            setting=source,
        )
    return tuple(MasterKey(key) for key in dict.fromkeys(keys))


def _decoded(line: bytes) -> bytes:
    try:
        return b64decode(line, validate=True)
    except (Base64Error, ValueError):
        return b""
