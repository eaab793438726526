"""An export of the audit log as a file of JSON Lines: its lines by chain, and their check."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.errors import InvalidRequest
from app.gallery.journal.actions import SERVICE_CHAIN
from app.gallery.journal.chain import BEGINNING, AuditKey, Line, line_of_document
from app.gallery.journal.faults import MOST_FAULTS, ClockStep, Fault, FaultKind, Verdict
from app.gallery.journal.signature_check import Signatures, SignedLines
from app.gallery.journal.signing_key import PublicKey


class ExportFile:
    """The lines of a file, in whichever order it has them, each at least once.

    Only where each line begins is kept in memory. Raises InvalidRequest when the file is no export.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[int, dict[int, int]] = {}
        self.twofold: list[Fault] = []
        """Lines that are there twice, and not the same."""
        place = 0
        for raw in self._raw_lines():
            line = self._parse(raw)
            known = self._places.setdefault(line.chain, {})
            if line.sequence in known and next(self._at([known[line.sequence]])) != line:
                self.twofold.append(
                    Fault(FaultKind.ALTERED, line.chain, line.sequence, line.sequence)
                )
            known.setdefault(line.sequence, place)
            place += len(raw)

    @property
    def chains(self) -> list[int]:
        return sorted(self._places)

    def lines(self, chain: int) -> Iterator[Line]:
        """Yield the lines of a chain, of ascending numbers."""
        places = self._places.get(chain, {})
        yield from self._at([places[sequence] for sequence in sorted(places)])

    def first(self, chain: int) -> int | None:
        return min(self._places.get(chain, ()), default=None)

    def _raw_lines(self) -> Iterator[bytes]:
        try:
            with self._path.open("rb") as file:
                yield from file
        except OSError as error:
            raise InvalidRequest(f"{self._path} cannot be read ({error})") from error

    def _at(self, places: Sequence[int]) -> Iterator[Line]:
        with self._path.open("rb") as file:
            for place in places:
                file.seek(place)
                yield self._parse(file.readline())

    def _parse(self, raw: bytes) -> Line:
        try:
            return line_of_document(json.loads(raw))
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidRequest(
                f"{self._path} cannot be read as an export of the audit log ({error})"
            ) from error


def verify_file(
    file: ExportFile, keys: Sequence[AuditKey], public_keys: Sequence[PublicKey]
) -> Verdict:
    """Check an export by itself, without the database. Blocks.

    Without `keys`, lines are checked by their signatures alone. A part of the log, as a filter
    makes it, has lines missing.
    """
    by_id = {key.id: key for key in keys}
    signatures = Signatures(file.lines(SERVICE_CHAIN), public_keys)
    faults = [*file.twofold, *signatures.faults]
    steps: list[ClockStep] = []
    count = unsigned = 0
    chains = sorted({*file.chains, *signatures.chains})
    for chain in chains:
        ranges = signatures.of(chain)
        start, first = max((one.start for one in ranges), default=0), file.first(chain)
        if first is not None and first <= start:  # a copy of before the retention deleted it
            start = first - 1
        signed = SignedLines(chain, ranges, start)
        before, mac = start, BEGINNING if start == 0 else ""
        for line in signed.passing(file.lines(chain)):
            count += 1
            if line.sequence > before + 1:
                faults.append(Fault(FaultKind.MISSING, chain, before + 1, line.sequence - 1))
                mac = ""
            key = by_id.get(line.key_id)
            if key is None:
                if keys:
                    faults.append(Fault(FaultKind.OTHER_KEY, chain, line.sequence, line.sequence))
            elif mac and key.mac(mac, line) != line.mac:
                faults.append(Fault(FaultKind.ALTERED, chain, line.sequence, line.sequence))
            before, mac = max(before, line.sequence), line.mac
        faults += signed.faults
        steps += signed.clock_steps
        unsigned += signed.unsigned
    listed = tuple(dict.fromkeys(faults))[:MOST_FAULTS]
    return Verdict(count, len(chains), listed, unsigned, tuple(steps), signatures.last)


def missing_in_file(file: ExportFile, earlier: ExportFile) -> list[str]:
    """Return the ids of the lines of an earlier copy that the file does not have as they were.

    Lines before the first one that the file has of their chain are passed over.
    """
    missing: list[str] = []
    for chain in earlier.chains:
        first = file.first(chain)
        there = {line.sequence: line.mac for line in file.lines(chain)}
        missing += [
            line.id
            for line in earlier.lines(chain)
            if (first is None or line.sequence >= first) and there.get(line.sequence) != line.mac
        ]
    return missing
