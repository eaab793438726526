"""Keys of the settings: of a variable, and of a file that is read again when it changes."""

import os
import shlex
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from app.errors import SettingUnusable
from app.gallery.keys.key_texts import digest_of

_FILE_SETTING = "VULTUS_API_KEYS_FILE"
_MOST_BYTES = 1_000_000
LEAST_LENGTH = 16
"""Characters of a key, where other machines reach the service."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SettingsKey:
    """A key of an admin. `name` says where it is."""

    name: str
    digest: str = field(repr=False)


class SettingsKeys:
    """The keys as of the last `follow`. Each request sees one state of them."""

    def __init__(self, keys: Sequence[str], file: Path | None = None) -> None:
        """Raises SettingUnusable when the file cannot be used."""
        self._own = [SettingsKey(f"key {place}", digest_of(k)) for place, k in enumerate(keys, 1)]
        self._file = file
        self._seen = self._mark()
        texts = self._texts()
        # Whether shorter ones may be was decided at the start (`key_checks.py`).
        self._least_length = min([LEAST_LENGTH, *map(len, texts)])
        self.known: tuple[SettingsKey, ...] = self._known(texts)

    def follow(self) -> None:
        """Read the file, if it has changed. Blocks.

        A file that cannot be used, or has a key that is shorter than those at the start and than
        LEAST_LENGTH, is logged, and the keys of before stay: a slip in it, or a file that is half
        written, neither opens the service nor locks everybody out.
        """
        mark = self._mark()
        if mark == self._seen:
            return
        self._seen = mark
        try:
            texts = self._texts()
            self._require_long(texts)
            self.known = self._known(texts)
        except SettingUnusable as error:
            _log.error("key_file_unusable", cause=str(error))
        else:
            _log.info("key_file_read", keys=len(self.known) - len(self._own))

    def _texts(self) -> list[str]:
        """Return the keys of the file. Raises SettingUnusable."""
        return [] if self._file is None else read_key_file(self._file)

    def _require_long(self, texts: Sequence[str]) -> None:
        """Raises SettingUnusable."""
        least = self._least_length
        if any(len(text) < least for text in texts):
            raise SettingUnusable(
                f"the file of API keys, {self._file}, has a key with fewer than {least} characters",
                setting=_FILE_SETTING,
            )

    def _known(self, texts: Sequence[str]) -> tuple[SettingsKey, ...]:
        return (
            *self._own,
            *(SettingsKey(f"file key {place}", digest_of(k)) for place, k in enumerate(texts, 1)),
        )

    def _mark(self) -> tuple[int, ...] | None:
        if self._file is None:
            return None
        try:
            found = self._file.stat()
        except OSError:
            return ()
        return (found.st_ino, found.st_mtime_ns, found.st_size, found.st_mode)


def read_key_file(path: Path) -> list[str]:
    """Return the keys of a file: one a line, without empty lines and those that begin with #.

    Raises SettingUnusable when it cannot be read, has no key, or other users may write it.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_MOST_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingUnusable(
            f"the file of API keys, {path}, cannot be read ({error})", setting=_FILE_SETTING
        ) from error
    # Reading is not refused: Docker mounts secrets so that all users of the container may.
    if mode & stat.S_IWOTH:
        raise SettingUnusable(
            f"other users may write the file of API keys, {path}; "
            f"run: chmod o-w {shlex.quote(str(path))}",
            setting=_FILE_SETTING,
        )
    lines = [line.strip() for line in content.splitlines()]
    keys = list(dict.fromkeys(line for line in lines if line and not line.startswith("#")))
    if not keys:
        raise SettingUnusable(
            f"the file of API keys, {path}, has none: write keys of 16 characters or more, one a "
            "line, or leave the setting out",
            setting=_FILE_SETTING,
        )
    return keys


def all_key_texts(keys: Sequence[str], file: Path | None) -> list[str]:
    """Return the keys of the settings themselves. Raises SettingUnusable."""
    return [*keys, *([] if file is None else read_key_file(file))]
