"""A cache of embeddings of photos on disk, so that a second run does not compute them again.

A folder holds the embeddings of one network with one set of settings; its name is their digest.
Each run that computes embeddings writes a file of its own there, a record a photo. So runs side by
side do not disturb each other, and a run that is killed loses at most the record that it was
writing. Records are found by the SHA-256 of the photo, and have a checksum. Photos are not kept.
Embeddings are biometric data: only the user who made them can read them.
"""

import hashlib
import json
import os
import secrets
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from app.errors import Reason
from app.recognition.types import Embedding

_FORMAT = 1  # is raised by any change of embeddings, such as of the alignment of crops
_OUTCOMES: tuple[Reason | None, ...] = (
    None,
    Reason.NO_FACE,
    Reason.SEVERAL_FACES,
    Reason.UNCLEAR_DIRECTION,
)
_CHECKSUM_BYTES = 4


@dataclass(frozen=True, slots=True)
class Known:
    """The embedding of a photo's subject, or the reason why there is none."""

    embedding: Embedding | None
    failure: Reason | None


class EmbeddingCache:
    """Embeddings by the SHA-256 of photos; `about` is all else that an embedding depends on."""

    def __init__(self, folder: Path, *, about: Mapping[str, object], dimension: int) -> None:
        text = json.dumps({"format": _FORMAT, **about}, sort_keys=True, default=str)
        self._folder = folder / hashlib.sha256(text.encode()).hexdigest()[:32]
        embedding = ("embedding", "<f4", (dimension,))
        self._record = np.dtype([("sha256", "V32"), ("outcome", "u1"), embedding, ("crc", "<u4")])
        self._file: BinaryIO | None = None
        self._known = self._read()

    def find(self, sha256: str) -> Known | None:
        return self._known.get(bytes.fromhex(sha256))

    def add(self, sha256: str, known: Known) -> None:
        """Keep an outcome, if it depends on the photo and on `about` alone."""
        if known.failure not in _OUTCOMES:
            return
        record = np.zeros((), dtype=self._record)
        record["sha256"] = np.void(bytes.fromhex(sha256))
        record["outcome"] = _OUTCOMES.index(known.failure)
        if known.embedding is not None:
            record["embedding"] = known.embedding
        body = record.tobytes()[:-_CHECKSUM_BYTES]
        self._opened().write(body + zlib.crc32(body).to_bytes(_CHECKSUM_BYTES, "little"))
        self._known[bytes.fromhex(sha256)] = known

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> BinaryIO:
        if self._file is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._folder / f"{secrets.token_hex(8)}.records"
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            self._file = os.fdopen(handle, "wb", buffering=0)
        return self._file

    def _read(self) -> dict[bytes, Known]:
        known: dict[bytes, Known] = {}
        size = self._record.itemsize
        for path in sorted(self._folder.glob("*.records")):
            data = path.read_bytes()
            # A torn last record is skipped.
            for record in np.frombuffer(data[: len(data) // size * size], dtype=self._record):
                body = record.tobytes()[:-_CHECKSUM_BYTES]
                if zlib.crc32(body) != record["crc"] or record["outcome"] >= len(_OUTCOMES):
                    continue
                failure = _OUTCOMES[record["outcome"]]
                embedding = None if failure else np.array(record["embedding"], dtype=np.float32)
                known[record["sha256"].tobytes()] = Known(embedding, failure)
        return known
