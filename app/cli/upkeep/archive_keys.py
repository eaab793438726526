"""What `vultus export` seals an archive by, and `vultus import` opens it by."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from app.errors import InvalidRequest
from app.gallery.transfer.archive_locks import ArchiveLock, KeyFileLock, MasterLock, PassphraseLock
from app.gallery.transfer.sealed_archive import needs_passphrase
from app.gallery.vault.vault import Vault

_MOST_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class ArchiveKeys:
    """The options about it; `seal` asks for a passphrase, `clear` seals nothing."""

    seal: bool = False
    clear: bool = False
    passphrase_file: Path | None = None
    key_file: Path | None = None


def locks_to_seal(keys: ArchiveKeys, vault: Vault) -> Sequence[ArchiveLock]:
    """Return what an export is sealed by; () for one in the clear.

    Without an option, that is the master key, where there is one. Raises InvalidRequest where the
    options contradict each other, or a key cannot be read.
    """
    sealing = keys.seal or keys.passphrase_file is not None or keys.key_file is not None
    if keys.clear and sealing:
        raise InvalidRequest("--clear seals nothing; leave it out, or the options that seal")
    locks: list[ArchiveLock] = []
    if keys.key_file is not None:
        locks.append(KeyFileLock(_content(keys.key_file)))
    if keys.passphrase_file is not None:
        locks.append(_by_file(keys.passphrase_file))
    elif keys.seal:
        asked = _asked(twice=True)
        locks.append(PassphraseLock(lambda: asked))
    if not locks and vault.is_on and not keys.clear:
        locks.append(MasterLock(vault.masters))
    return locks


def locks_to_open(keys: ArchiveKeys, vault: Vault, file: Path) -> Sequence[ArchiveLock]:
    """Return what an import of a file tries; a passphrase is asked for if nothing else opens it.

    Raises InvalidRequest.
    """
    locks: list[ArchiveLock] = []
    if vault.is_on:
        locks.append(MasterLock(vault.masters))
    if keys.key_file is not None:
        locks.append(KeyFileLock(_content(keys.key_file)))
    if keys.passphrase_file is not None:
        locks.append(_by_file(keys.passphrase_file))
    elif sys.stdin.isatty() and needs_passphrase(file, locks):
        asked = _asked(twice=False)
        locks.append(PassphraseLock(lambda: asked))
    return locks


def _by_file(path: Path) -> PassphraseLock:
    lines = _content(path).decode("utf-8", "replace").splitlines()
    passphrase = lines[0] if lines else ""
    return PassphraseLock(lambda: passphrase)


def _asked(*, twice: bool) -> str:
    if not sys.stdin.isatty():
        raise InvalidRequest("there is no terminal to ask for a passphrase; give --passphrase-file")
    asked: str = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=twice, err=True)
    return asked


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES)
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read ({error.strerror or error})") from error
