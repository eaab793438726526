"""Sealed bytes: AES-256-GCM with a random nonce, bound to what they are about."""

import os
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES: Final = 32
OVERHEAD_BYTES: Final = 29
"""Bytes that sealing adds: the version of the form, the nonce and the tag."""

_FORM = b"\x01"
_NONCE_BYTES = 12
_START = len(_FORM) + _NONCE_BYTES


class SealedOtherwiseError(Exception):
    """Sealed bytes that were sealed by another key or for another place, or are damaged."""


class Sealer(Protocol):
    """Seals bytes of any length under one key.

    `context` is authenticated and not part of the sealed bytes: they open with the same one alone.
    """

    def seal(self, plaintext: bytes, context: bytes) -> bytes: ...

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Raises SealedOtherwiseError."""
        ...


class KeySealer:
    """A Sealer of one key of 32 bytes, as of NIST SP 800-38D.

    A form: a byte for its version, a nonce of 12 random bytes, the ciphertext, a tag of 16 bytes.
    """

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return _FORM + nonce + self._cipher.encrypt(nonce, plaintext, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Raises SealedOtherwiseError."""
        if sealed[:1] != _FORM:
            raise SealedOtherwiseError("the bytes have no form that this version knows")
        try:
            return self._cipher.decrypt(sealed[1:_START], sealed[_START:], context)
        except (InvalidTag, ValueError) as error:  # another key or context, or too few bytes
            raise SealedOtherwiseError("the bytes do not open") from error


def new_key() -> bytes:
    return os.urandom(KEY_BYTES)


def subkey(key: bytes, purpose: str, length: int = KEY_BYTES) -> bytes:
    """Derive a key for one purpose (HKDF with SHA-256, RFC 5869)."""
    return HKDF(SHA256(), length, salt=None, info=f"vultus {purpose}".encode()).derive(key)
