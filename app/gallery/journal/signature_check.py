"""Check the signatures of the audit log, and the lines that they are about."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from operator import attrgetter

from app.gallery.journal.actions import Action
from app.gallery.journal.chain import Line
from app.gallery.journal.faults import ClockStep, Fault, FaultKind, LastSignature
from app.gallery.journal.signed_ranges import RangeDigest, Signature, SignedRange
from app.gallery.journal.signing_key import PublicKey

_CLOCK_TOLERANCE = timedelta(seconds=60)
"""Lines of a chain are written in their order, but their moments are those of what they are about,
which for reads may be seconds before."""
MOST_CLOCK_STEPS = 100


class Signatures:
    """The signatures of a log, by what they are about; `faults` are of the signatures themselves.

    Only ranges whose signature holds count.
    """

    def __init__(self, lines: Iterable[Line], keys: Sequence[PublicKey]) -> None:
        """`lines`: those of chain 0; others than signatures are passed over."""
        self.faults: list[Fault] = []
        self._keys = {key.id: key for key in keys}
        self._by_chain: dict[int, list[SignedRange]] = {}
        self._last: dict[int, LastSignature] = {}
        for line in lines:
            if line.action == Action.AUDIT_SIGNED:
                self._take(line)

    def of(self, chain: int) -> list[SignedRange]:
        """Return the ranges of a chain that are signed, in order."""
        return sorted(self._by_chain.get(chain, ()), key=attrgetter("sequence", "after"))

    @property
    def chains(self) -> set[int]:
        return set(self._by_chain)

    @property
    def last(self) -> tuple[LastSignature, ...]:
        """The last signature of each chain that has one, in the order of the chains."""
        return tuple(self._last[chain] for chain in sorted(self._last))

    def _take(self, line: Line) -> None:
        found = Signature.of(line)
        key = None if found is None else self._keys.get(found.key)
        if found is not None and key is not None and key.has_signed(found.text, found.signature):
            for one in found.ranges:
                self._by_chain.setdefault(one.chain, []).append(one)
                known = self._last.get(one.chain)
                if known is None or one.sequence > known.sequence:
                    self._last[one.chain] = LastSignature(one.chain, one.sequence, found.at)
            return
        is_other = found is not None and key is None
        kind = FaultKind.OTHER_SIGNER if is_other else FaultKind.BAD_SIGNATURE
        self.faults.append(Fault(kind, line.chain, line.sequence, line.sequence))


class SignedLines:
    """Compares the lines of a chain with its signed ranges, while another check reads them.

    `start`: the last line that the retention has deleted.
    """

    def __init__(self, chain: int, ranges: Sequence[SignedRange], start: int) -> None:
        self._chain = chain
        self._ranges = [one for one in ranges if one.sequence > max(one.after, start)]
        self._start = start
        self.faults = list(self._gaps(ranges))
        self.clock_steps: list[ClockStep] = []
        self.unsigned = 0

    def passing(self, lines: Iterable[Line]) -> Iterator[Line]:
        """Yield the lines, of ascending numbers, and find the faults on the way."""
        waiting = iter(self._ranges)
        current, digest = next(waiting, None), RangeDigest()
        signed_to = self._ranges[-1].sequence if self._ranges else self._start
        before: Line | None = None
        last = self._start
        for line in lines:
            last = line.sequence
            while current is not None and current.sequence < last:
                current, digest = next(waiting, None), RangeDigest()  # its last line is missing
            if current is not None and last > current.after:
                digest.add(line)
                if last == current.sequence:
                    self._compare(current, digest, line)
                    current, digest = next(waiting, None), RangeDigest()
            else:  # above the last range, or below the first one that is there
                self.unsigned += 1
            self._look_at_clock(before, line)
            before = line
            yield line
        if last < signed_to:
            self.faults.append(Fault(FaultKind.MISSING, self._chain, last + 1, signed_to))

    def _compare(self, one: SignedRange, digest: RangeDigest, last: Line) -> None:
        is_whole = digest.lines == one.sequence - one.after
        if not is_whole:  # the retention has deleted the first of them
            self.unsigned += digest.lines
        if last.mac != one.mac or (is_whole and digest.hex != one.sha256):
            kind = FaultKind.SIGNED_OTHERWISE
            self.faults.append(Fault(kind, self._chain, one.after + 1, one.sequence))

    def _gaps(self, ranges: Sequence[SignedRange]) -> Iterator[Fault]:
        for before, one in pairwise(ranges):
            if one.after > max(before.sequence, one.start):
                first = max(before.sequence, one.start) + 1
                yield Fault(FaultKind.NEVER_SIGNED, self._chain, first, one.after)

    def _look_at_clock(self, before: Line | None, line: Line) -> None:
        if before is None or line.at >= before.at - _CLOCK_TOLERANCE:
            return
        if len(self.clock_steps) < MOST_CLOCK_STEPS:
            back_s = (before.at - line.at).total_seconds()
            self.clock_steps.append(ClockStep(line.chain, line.sequence, back_s))
