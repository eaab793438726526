"""Check the chains of the audit log: a line that is missing, altered or added shows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.gallery.journal.chain import BEGINNING, AuditKey, Line, Link
from app.gallery.store.gallery_store import Store
from app.gallery.store.repositories.audit_repository import ChainEnds

MOST_FAULTS = 1_000
"""Faults that are listed; a table that was exchanged has as many as it has lines."""


class FaultKind(StrEnum):
    MISSING = "missing"
    """Lines that were there are not there any more."""
    ALTERED = "altered"
    """A line is not as it was written, or its predecessor is not the one that it had."""
    OTHER_KEY = "other_key"
    """A line was chained by a key that is not given, so that it cannot be checked."""
    NO_HEAD = "no_head"
    """A chain has lines, and no head, or one that was never its head."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault at the lines `first` to `last` of a chain."""

    kind: FaultKind
    chain: int
    first: int
    last: int

    def __str__(self) -> str:
        span = f"{self.chain}-{self.first}"
        if self.last != self.first:
            span += f" to {self.chain}-{self.last}"
        texts = {
            FaultKind.MISSING: f"missing: {span}",
            FaultKind.ALTERED: f"altered: {span}",
            FaultKind.OTHER_KEY: f"chained by a key that is not given: {span}",
            FaultKind.NO_HEAD: f"the end of chain {self.chain} is not one that it had",
        }
        return texts[self.kind]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many lines were checked, in how many chains, and what is wrong with them."""

    lines: int
    chains: int
    faults: tuple[Fault, ...]


class ChainCheck:
    """Checks the lines of one chain, in order."""

    def __init__(self, ends: ChainEnds, keys: Mapping[str, AuditKey]) -> None:
        self._ends = ends
        self._keys = keys
        self.lines = 0

    def faults(self, lines: Iterable[Line]) -> Iterator[Fault]:
        """Yield what is wrong, in the order of the lines."""
        chain, head = self._ends.chain, self._ends.head
        before, mac = 0, BEGINNING
        start = self._ends.start
        if start is not None:
            yield from self._seal_faults("start", start)
            before, mac = start.sequence, start.mac
        for line in lines:
            self.lines += 1
            if line.sequence != before + 1:
                yield Fault(FaultKind.MISSING, chain, before + 1, line.sequence - 1)
                mac = ""  # unknown: the HMAC of the missing line
            yield from self._line_faults(line, mac)
            before, mac = line.sequence, line.mac
        if before < head.sequence:
            yield Fault(FaultKind.MISSING, chain, before + 1, head.sequence)
        elif (before, mac) != (head.sequence, head.mac):
            yield Fault(FaultKind.NO_HEAD, chain, before, before)
        yield from self._seal_faults("head", head)

    def _line_faults(self, line: Line, before: str) -> Iterator[Fault]:
        at = line.sequence
        key = self._keys.get(line.key_id)
        if key is None:
            yield Fault(FaultKind.OTHER_KEY, line.chain, at, at)
        elif before and key.mac(before, line) != line.mac:
            yield Fault(FaultKind.ALTERED, line.chain, at, at)

    def _seal_faults(self, kind: str, link: Link) -> Iterator[Fault]:
        chain, at = self._ends.chain, link.sequence
        key = self._keys.get(link.key_id)
        if key is None:
            yield Fault(FaultKind.OTHER_KEY, chain, at, at)
        elif key.seal(kind, chain, at, link.mac) != link.seal:
            yield Fault(FaultKind.NO_HEAD, chain, at, at)


def verify(store: Store, keys: Sequence[AuditKey]) -> Verdict:
    """Check all chains as they are at one moment, by the keys that chained them. Blocks."""
    by_id = {key.id: key for key in keys}
    faults: list[Fault] = []
    count = 0
    with store.reading_all() as collections:
        audit = collections.audit
        ends = audit.ends()
        for one in ends:
            check = ChainCheck(one, by_id)
            above = 0 if one.start is None else one.start.sequence
            for fault in check.faults(audit.lines(one.chain, above=above)):
                if len(faults) < MOST_FAULTS:
                    faults.append(fault)
            count += check.lines
        headless = audit.chains_with_lines() - {one.chain for one in ends}
        faults += [Fault(FaultKind.NO_HEAD, chain, 0, 0) for chain in sorted(headless)]
    return Verdict(count, len(ends), tuple(faults))
