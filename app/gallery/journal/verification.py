"""Check the chains of the audit log: a line that is missing, altered or added shows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from app.gallery.journal.actions import SERVICE_CHAIN
from app.gallery.journal.chain import BEGINNING, AuditKey, Line, Link
from app.gallery.journal.faults import MOST_FAULTS, ClockStep, Fault, FaultKind, Verdict
from app.gallery.journal.signature_check import Signatures, SignedLines
from app.gallery.journal.signing_key import PublicKey
from app.gallery.store.gallery_store import Store
from app.gallery.store.repositories.audit_repository import ChainEnds


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


def verify(
    store: Store, keys: Sequence[AuditKey], public_keys: Sequence[PublicKey] = ()
) -> Verdict:
    """Check all chains as they are at one moment, by the keys that chained them. Blocks.

    Signatures are checked as well where `public_keys` are given.
    """
    by_id = {key.id: key for key in keys}
    faults: list[Fault] = []
    steps: list[ClockStep] = []
    count = unsigned = 0
    with store.reading_all() as collections:
        audit = collections.audit
        ends = audit.ends()
        signatures = Signatures(audit.lines(SERVICE_CHAIN) if public_keys else (), public_keys)
        faults += signatures.faults
        for one in ends:
            check = ChainCheck(one, by_id)
            above = 0 if one.start is None else one.start.sequence
            signed = SignedLines(one.chain, signatures.of(one.chain), above)
            lines = signed.passing(audit.lines(one.chain, above=above))
            faults += islice(check.faults(lines), MOST_FAULTS)
            faults += signed.faults
            steps += signed.clock_steps
            unsigned += signed.unsigned
            count += check.lines
        headless = audit.chains_with_lines() - {one.chain for one in ends}
        faults += [Fault(FaultKind.NO_HEAD, chain, 0, 0) for chain in sorted(headless)]
    listed = tuple(dict.fromkeys(faults))[:MOST_FAULTS]
    return Verdict(count, len(ends), listed, unsigned, tuple(steps), signatures.last)
