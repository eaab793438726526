"""What a signature of the audit log is about: ranges of lines, each by its digest.

The line `audit.signed` has the ranges that are new since the one before, so that the signed ranges
of a chain follow each other without a gap, and the last one says where the chain ended. Its digest
needs no key: it is the SHA-256 of the lines as they were chained, with their HMACs.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from app.gallery.journal.chain import Line, line_bytes, moment_text

_PREFIX = b"vultus audit heads 1\n"


@dataclass(frozen=True, slots=True)
class SignedRange:
    """The lines above `after`, up to `sequence`, whose HMAC is `mac`.

    `start` is the last line that the retention had deleted by then; 0: none.
    """

    chain: int
    start: int
    after: int
    sequence: int
    mac: str
    sha256: str


class RangeDigest:
    """The digest of lines that follow each other."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self.lines = 0

    def add(self, line: Line) -> None:
        self._sha256.update(line_bytes(line))
        self.lines += 1

    @property
    def hex(self) -> str:
        return self._sha256.hexdigest()


def signed_bytes(at: datetime, ranges: Iterable[SignedRange]) -> bytes:
    """Return what is signed."""
    return _bytes(moment_text(at), [asdict(one) for one in ranges])


def signed_details(
    at: datetime, ranges: Sequence[SignedRange], *, key: str, signature: str
) -> dict[str, Any]:
    """Return the details of the line that has the signature."""
    heads = [asdict(one) for one in ranges]
    return {"signed_at": moment_text(at), "heads": heads, "public_key": key, "signature": signature}


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature as a line has it, made at the moment `at`; `text` is what it is of."""

    key: str
    at: str
    text: bytes
    signature: str
    ranges: tuple[SignedRange, ...]

    @classmethod
    def of(cls, line: Line) -> "Signature | None":
        """Return the signature of a line; None where its details have another form."""
        found: Mapping[str, Any] = json.loads(line.details)
        try:
            ranges = tuple(SignedRange(**one) for one in found["heads"])
            at = found["signed_at"]
            text = _bytes(at, found["heads"])
            return cls(found["public_key"], at, text, found["signature"], ranges)
        except (KeyError, TypeError):
            return None


def _bytes(at: str, heads: object) -> bytes:
    text = json.dumps({"at": at, "heads": heads}, sort_keys=True, separators=(",", ":"))
    return _PREFIX + text.encode("ascii")
