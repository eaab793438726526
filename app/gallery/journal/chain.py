"""Lines of the audit log, and the chain that they form.

Each line has an HMAC-SHA-256 (RFC 2104, FIPS 180-4) over the HMAC of the line before and its own
fields. Whoever has no key cannot make a line; a line that is altered, missing or in another place
does not fit the ones beside it. The head of a chain says which line is its last.

Each collection has a chain, and what belongs to none has another one: writers of one collection
wait for each other in any case, so that the chain costs no waiting between collections.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from app.gallery.journal.actions import Note

BEGINNING = "0" * 64
"""In place of the HMAC of the line before the first one."""
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the audit log. `details` is JSON, byte by byte as it was chained."""

    chain: int
    sequence: int
    """From 1, without gaps in a chain."""
    at: datetime
    principal: str
    action: str
    collection: str | None
    identity_id: str | None
    receipt_id: str | None
    request_id: str | None
    address: str | None
    outcome: str
    details: str
    key_id: str
    mac: str

    @property
    def id(self) -> str:
        return f"{self.chain}-{self.sequence}"


@dataclass(frozen=True, slots=True)
class Link:
    """A place in a chain: the line with a number, by its HMAC. `seal` proves that it was one."""

    sequence: int
    mac: str
    key_id: str
    seal: str


class AuditKey:
    """A key of 32 bytes, and what it signs. `id` names it and reveals nothing of it."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.id = self._sign(b"vultus audit key")[:16]

    def mac(self, before: str, line: Line) -> str:
        """Return the HMAC of a line that follows the one with the HMAC `before`."""
        values = [_VERSION, before, *_signed(line)]
        return self._sign(json.dumps(values, separators=(",", ":")).encode("ascii"))

    def seal(self, kind: str, chain: int, sequence: int, mac: str) -> str:
        """Return the proof that a chain had its head or its beginning (`kind`) there."""
        return self._sign(f"{kind}:{chain}:{sequence}:{mac}".encode("ascii"))

    def line(self, note: Note, before: str, sequence: int) -> Line:
        """Make the line of a note."""
        unsigned = Line(
            chain=note.chain,
            sequence=sequence,
            at=note.at.astimezone(UTC),
            principal=note.principal[:128],
            action=note.action.value,
            collection=note.collection,
            identity_id=note.identity_id,
            receipt_id=note.receipt_id,
            request_id=note.request_id,
            address=note.address,
            outcome=note.outcome,
            details=details_text(note.details),
            key_id=self.id,
            mac="",
        )
        return signed(unsigned, self.mac(before, unsigned))

    def _sign(self, text: bytes) -> str:
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()


def details_text(details: Mapping[str, object]) -> str:
    return json.dumps(details, sort_keys=True, separators=(",", ":"))


def signed(line: Line, mac: str) -> Line:
    values = {name: getattr(line, name) for name in _NAMES}
    return Line(**{**values, "mac": mac})


def line_values(line: Line) -> dict[str, object]:
    """Return the fields by name, as the table has them."""
    return {name: getattr(line, name) for name in _NAMES}


def line_document(line: Line) -> dict[str, object]:
    """Return the line as JSON has it, with its details as an object."""
    return {
        "id": line.id,
        **asdict(line),
        "at": moment_text(line.at),
        "details": json.loads(line.details),
    }


def line_of_document(document: Mapping[str, object]) -> Line:
    """Return the line that `line_document` made JSON of. Raises KeyError, TypeError, ValueError."""
    values = {name: document[name] for name in _NAMES}
    details = values["details"]
    if not isinstance(details, dict):
        raise TypeError("details must be an object")
    at = datetime.fromisoformat(str(values["at"]))
    return Line(**{**values, "at": at, "details": details_text(details)})  # type: ignore[arg-type]


def line_bytes(line: Line) -> bytes:
    """Return all of a line, as digests without a key cover it."""
    values = [_VERSION, line.mac, *_signed(line)]
    return json.dumps(values, separators=(",", ":")).encode("ascii") + b"\n"


def moment_text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


_NAMES = tuple(Line.__dataclass_fields__)


def _signed(line: Line) -> list[object]:
    """The fields that the HMAC covers: all but itself."""
    values = [getattr(line, name) for name in _NAMES if name not in ("mac", "at")]
    return [moment_text(line.at), *values]
