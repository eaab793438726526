"""What an archive is sealed by: a passphrase, a key file, or the master key of the gallery.

The archive is sealed by a key of its own. Each lock wraps that key, and writes what it needs to
unwrap it, a slot, into the header.
"""

import os
import unicodedata
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Sequence
from typing import Annotated, Final, Literal, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pydantic import Field

from app.errors import InvalidRequest
from app.gallery.transfer.archive_lines import Line
from app.gallery.vault.master_key import MasterKey

LEAST_PASSPHRASE: Final = 12
"""Characters of a passphrase that an archive is sealed by."""

KEY_BYTES: Final = 32

_SCRYPT_N = 2**17
_SCRYPT_R = 8
_SCRYPT_P = 1
_MOST_SCRYPT_BYTES = 2**28
"""What a foreign header may make scrypt take: 128 * n * r bytes."""
_SALT_BYTES = 16
_NONCE_BYTES = 12

_Base64 = Annotated[str, Field(max_length=1_024)]


class PassphraseSlot(Line):
    """`n`, `r`, `p`: of scrypt (RFC 7914)."""

    kind: Literal["passphrase"] = "passphrase"
    n: Annotated[int, Field(ge=2, le=2**24)]
    r: Annotated[int, Field(ge=1, le=64)]
    p: Annotated[int, Field(ge=1, le=4)]
    salt: _Base64
    wrapped: _Base64


class KeyFileSlot(Line):
    kind: Literal["key_file"] = "key_file"
    wrapped: _Base64


class MasterSlot(Line):
    """`master_id`: of the master key of the gallery, which is no secret."""

    kind: Literal["master"] = "master"
    master_id: Annotated[str, Field(max_length=64)]
    wrapped: _Base64


Slot = Annotated[PassphraseSlot | KeyFileSlot | MasterSlot, Field(discriminator="kind")]


class ArchiveLock(Protocol):
    """One thing that seals the keys of archives, and opens them."""

    kind: str

    def wrap(self, key: bytes) -> Slot: ...

    def unwrap(self, slot: Slot) -> bytes | None:
        """Return the key of an archive; None when it is wrapped by another lock."""
        ...


class PassphraseLock:
    """A passphrase, by scrypt; it is asked for when it is needed."""

    kind = "passphrase"

    def __init__(self, ask: Callable[[], str]) -> None:
        self._ask = ask

    def wrap(self, key: bytes) -> PassphraseSlot:
        """Raises InvalidRequest for a passphrase that is too short."""
        passphrase = self._ask()
        if len(passphrase) < LEAST_PASSPHRASE:
            raise InvalidRequest(
                f"the passphrase has {len(passphrase)} characters; it must have at least "
                f"{LEAST_PASSPHRASE}"
            )
        salt = os.urandom(_SALT_BYTES)
        parameters = _SCRYPT_N, _SCRYPT_R, _SCRYPT_P
        wrapped = _wrapped(_stretched(passphrase, salt, *parameters), key)
        n, r, p = parameters
        return PassphraseSlot(n=n, r=r, p=p, salt=_text(salt), wrapped=wrapped)

    def unwrap(self, slot: Slot) -> bytes | None:
        if not isinstance(slot, PassphraseSlot) or 128 * slot.n * slot.r > _MOST_SCRYPT_BYTES:
            return None
        salt = _bytes(slot.salt)
        return _unwrapped(_stretched(self._ask(), salt, slot.n, slot.r, slot.p), slot.wrapped)


class KeyFileLock:
    """A key of 32 bytes in a file of the user."""

    kind = "key_file"

    def __init__(self, content: bytes) -> None:
        """`content`: the 32 bytes, or these in base64. Raises InvalidRequest."""
        key = content if len(content) == KEY_BYTES else _bytes(content.decode("ascii", "replace"))
        if len(key) != KEY_BYTES:
            raise InvalidRequest(
                "the key file must hold 32 bytes in base64; make one with: openssl rand -base64 32"
            )
        self._key = key

    def wrap(self, key: bytes) -> KeyFileSlot:
        return KeyFileSlot(wrapped=_wrapped(self._key, key))

    def unwrap(self, slot: Slot) -> bytes | None:
        return _unwrapped(self._key, slot.wrapped) if isinstance(slot, KeyFileSlot) else None


class MasterLock:
    """The master key of the gallery, and former ones, which open only."""

    kind = "master"

    def __init__(self, masters: Sequence[MasterKey]) -> None:
        self._masters = masters

    def wrap(self, key: bytes) -> MasterSlot:
        master = self._masters[0]
        return MasterSlot(master_id=master.id, wrapped=_wrapped(master.archive_key, key))

    def unwrap(self, slot: Slot) -> bytes | None:
        if isinstance(slot, MasterSlot):
            for master in self._masters:
                if master.id == slot.master_id:
                    return _unwrapped(master.archive_key, slot.wrapped)
        return None


def _stretched(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    text = unicodedata.normalize("NFC", passphrase).encode("utf-8")
    return Scrypt(salt=salt, length=KEY_BYTES, n=n, r=r, p=p).derive(text)


def _wrapped(by: bytes, key: bytes) -> str:
    nonce = os.urandom(_NONCE_BYTES)
    return _text(nonce + AESGCM(by).encrypt(nonce, key, b"key of an archive"))


def _unwrapped(by: bytes, wrapped: str) -> bytes | None:
    sealed = _bytes(wrapped)
    nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        return AESGCM(by).decrypt(nonce, rest, b"key of an archive")
    except (InvalidTag, ValueError):
        return None


def _text(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    """Return b"" for what is no base64: too short for whatever it should be."""
    try:
        return b64decode(text.strip(), validate=True)
    except (Base64Error, ValueError):
        return b""
