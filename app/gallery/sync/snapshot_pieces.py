"""Protection of the pieces of a snapshot: by checksums in the clear, or by sealing each of them.

A protected piece is as long as the piece itself. What shows that it is whole (the check) lies
apart, in the footer.
"""

import zlib
from collections.abc import Callable
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FOOTER: Final = -1
"""Place of the footer; pieces of rows have the places 0, 1, ..."""

_CHECKSUM_BYTES = 4
_TAG_BYTES = 16
_NONCE_BYTES = 12

Bytes = bytes | bytearray | memoryview


class PieceDamagedError(Exception):
    """A piece is not what was written at this place of this file."""


class PieceProtection(Protocol):
    """Protects the pieces of one file.

    `check_bytes` is the length of a check, and so of what `protect` needs beyond the piece.
    """

    check_bytes: int

    def protect(self, place: int, data: Bytes) -> tuple[Bytes, bytes]:
        """Return what is written for a piece, of the same length, and its check."""
        ...

    def read(
        self, place: int, length: int, read_into: Callable[[memoryview], int], check: bytes
    ) -> Bytes:
        """Read a piece of `length` bytes by `read_into`. Raises PieceDamagedError."""
        ...


class Checksums:
    """Pieces in the clear, each with its CRC-32."""

    check_bytes = _CHECKSUM_BYTES

    def protect(self, place: int, data: Bytes) -> tuple[Bytes, bytes]:  # noqa: ARG002
        return data, zlib.crc32(data).to_bytes(_CHECKSUM_BYTES, "little")

    def read(
        self,
        place: int,  # noqa: ARG002
        length: int,
        read_into: Callable[[memoryview], int],
        check: bytes,
    ) -> Bytes:
        data = bytearray(length)
        _fill(memoryview(data), read_into)
        if zlib.crc32(data).to_bytes(_CHECKSUM_BYTES, "little") != check:
            raise PieceDamagedError
        return data


class SealedPieces:
    """Pieces sealed by AES-256-GCM (NIST SP 800-38D), under a key that no other file has.

    The nonce of a piece is its place: under a key of one file, none comes twice, and a piece that
    is moved to another place does not open. `header` is the file's, and is bound to all of them.
    """

    check_bytes = _TAG_BYTES

    def __init__(self, key: bytes, header: bytes) -> None:
        """`key` has 32 bytes."""
        self._cipher = AESGCM(key)
        self._header = header

    def protect(self, place: int, data: Bytes) -> tuple[Bytes, bytes]:
        sealed = memoryview(self._cipher.encrypt(_nonce(place), data, self._header))
        return sealed[:-_TAG_BYTES], bytes(sealed[-_TAG_BYTES:])

    def read(
        self, place: int, length: int, read_into: Callable[[memoryview], int], check: bytes
    ) -> Bytes:
        sealed = bytearray(length + _TAG_BYTES)
        _fill(memoryview(sealed)[:length], read_into)
        sealed[length:] = check
        try:
            return self._cipher.decrypt(_nonce(place), sealed, self._header)
        except (InvalidTag, ValueError) as error:  # another key, place or file; or no whole tag
            raise PieceDamagedError from error


def _nonce(place: int) -> bytes:
    return place.to_bytes(_NONCE_BYTES, "big", signed=True)


def _fill(data: memoryview, read_into: Callable[[memoryview], int]) -> None:
    if read_into(data) != len(data):
        raise PieceDamagedError
