"""Bytes of any length, sealed chunk by chunk, so that they are written and read in little memory.

The STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizar: "Online Authenticated-Encryption and
its Nonce-Reuse Misuse-Resistance", CRYPTO 2015) over AES-256-GCM. The nonce of a chunk is its
number, 11 bytes, and a byte that marks the last one: no chunk can be left out, moved or repeated,
and nothing can be cut off. A key is for one stream only. Each chunk opens by itself, so that a
reader may seek.
"""

from io import SEEK_CUR, SEEK_END, SEEK_SET, RawIOBase, UnsupportedOperation
from typing import IO, TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.gallery.transfer.archive_faults import damaged

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

CHUNK_BYTES: Final = 65_536
_TAG_BYTES = 16
_SEALED_BYTES = CHUNK_BYTES + _TAG_BYTES
_NUMBER_BYTES = 11


class SealedWriter(RawIOBase):
    """Seals what is written into a file, from its position on; `finish` writes the last chunk."""

    def __init__(self, file: IO[bytes], key: bytes, context: bytes) -> None:
        """`key`: 32 bytes; `context` is bound to every chunk, and is not written."""
        self._file = file
        self._cipher = AESGCM(key)
        self._context = context
        self._waiting = bytearray()
        self._number = 0

    def writable(self) -> bool:
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        view = memoryview(data).cast("B")
        self._waiting += view
        # More than a chunk: which one is the last is known at the end.
        while len(self._waiting) > CHUNK_BYTES:
            self._seal(bytes(self._waiting[:CHUNK_BYTES]), is_last=False)
            del self._waiting[:CHUNK_BYTES]
        return len(view)

    def finish(self) -> None:
        self._seal(bytes(self._waiting), is_last=True)
        self._waiting.clear()

    def _seal(self, chunk: bytes, *, is_last: bool) -> None:
        nonce = _nonce(self._number, is_last=is_last)
        self._file.write(self._cipher.encrypt(nonce, chunk, self._context))
        self._number += 1


class SealedReader(RawIOBase):
    """What a SealedWriter wrote, in a file from its position to its end."""

    def __init__(self, file: IO[bytes], key: bytes, context: bytes) -> None:
        """Raises ArchiveDamaged when the last chunk is not there, or is not as it was written."""
        self._file = file
        self._cipher = AESGCM(key)
        self._context = context
        self._start = file.tell()
        sealed = file.seek(0, SEEK_END) - self._start
        self._chunks = max(1, -(-sealed // _SEALED_BYTES))
        self._size = sealed - self._chunks * _TAG_BYTES
        self._position = 0
        self._open: tuple[int, bytes] = (-1, b"")
        self._chunk(self._chunks - 1)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = SEEK_SET, /) -> int:
        base = {SEEK_SET: 0, SEEK_CUR: self._position, SEEK_END: self._size}.get(whence)
        if base is None or base + offset < 0:
            raise UnsupportedOperation("cannot seek there")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        into = memoryview(buffer).cast("B")
        if self._position >= self._size:
            return 0
        number, skipped = divmod(self._position, CHUNK_BYTES)
        some = self._chunk(number)[skipped : skipped + len(into)]
        into[: len(some)] = some
        self._position += len(some)
        return len(some)

    def _chunk(self, number: int) -> bytes:
        if self._open[0] != number:
            self._file.seek(self._start + number * _SEALED_BYTES)
            sealed = self._file.read(_SEALED_BYTES)
            nonce = _nonce(number, is_last=number == self._chunks - 1)
            try:
                self._open = (number, self._cipher.decrypt(nonce, sealed, self._context))
            except (InvalidTag, ValueError) as error:  # ValueError: fewer bytes than a tag
                raise damaged(
                    f"chunk {number} of {self._chunks} is not as it was sealed"
                ) from error
        return self._open[1]


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(_NUMBER_BYTES, "big") + bytes([is_last])
