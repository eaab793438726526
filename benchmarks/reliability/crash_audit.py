"""Compare the audit log of a gallery with what was acknowledged to its clients."""

from app.gallery.gallery import Gallery
from app.gallery.journal.actions import Action
from app.gallery.journal.chain import AuditKey
from app.gallery.journal.verification import verify
from benchmarks.reliability.crash_check import Verdict
from benchmarks.reliability.crash_ledger import Ledger

AUDIT_KEY = AuditKey(b"crash-benchmark-crash-benchmark-"[:32])


def check_audit(gallery: Gallery, ledger: Ledger, verdict: Verdict) -> None:
    """Note what is wrong with the chains, and each person without a line about their enrolment, or
    their deletion."""
    for fault in verify(gallery.store, [AUDIT_KEY]).faults:
        verdict.note("unaudited", str(fault))
    enrolled, deleted = set[str | None](), set[str | None]()
    with gallery.store.reading_all() as collections:
        for ends in collections.audit.ends():
            for line in collections.audit.lines(ends.chain):
                if line.action == Action.IDENTITY_CREATED:
                    enrolled.add(line.identity_id)
                elif line.action == Action.IDENTITY_ERASED:
                    deleted.add(line.identity_id)
    for identity_id in {*ledger.living.values(), *verdict.present.values()} - enrolled:
        verdict.note("unaudited", f"{identity_id} was enrolled without a line")
    for identity_id in set(ledger.dead.values()) - deleted:
        verdict.note("unaudited", f"{identity_id} was deleted without a line")
    undecided = {person for attempt in ledger.open.values() for person in attempt.people}
    there = {ledger.living[person] for person in ledger.living.keys() - undecided}
    for identity_id in there & deleted:
        verdict.note("unaudited", f"{identity_id} has a line of a deletion that was undone")
