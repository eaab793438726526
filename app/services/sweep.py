"""The erasure of expired people, unknown faces and audit lines."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from app.gallery.gallery import Gallery
from app.gallery.retention.clock_guard import ClockGuard, SweepMoments
from app.gallery.unknowns.unknown_inbox import Unknowns
from app.observe.metrics import CLOCK_BEHIND, RETENTION_WAITS

_log = structlog.get_logger(__name__)


class Sweep:
    """Keeps `log_revisions` of each collection's log, and answers to keys for `keys_kept_s`."""

    def __init__(
        self,
        gallery: Gallery,
        unknowns: Unknowns,
        *,
        log_revisions: int,
        keys_kept_s: float,
        prune_audit: Callable[[SweepMoments], int],
        guard: ClockGuard,
    ) -> None:
        self._gallery = gallery
        self._unknowns = unknowns
        self._log_revisions = log_revisions
        self._prune_audit = prune_audit
        self._keys_kept = timedelta(seconds=keys_kept_s)
        self._guard = guard
        self._held: dict[str, int] = {}
        self.latest: SweepMoments | None = None
        """Those of the last sweep; None before the first."""

    def erase_expired(self) -> None:
        """Erase expired people and unknown faces, and log it. One may fail alone.

        People come last: their erasure also overwrites what the database's files still hold of
        the unknown faces. What the clock alone calls expired waits where the clock is doubted.
        """
        moments = self._guard.look()
        try:
            for name, count in self._unknowns.erase_expired(moments).items():
                _log.info("unknowns_erased", collection=name, faces=count)
        finally:
            try:
                self._erase_expired_people(moments)
            finally:
                self._erase_old_lines(moments)
        self._log_waiting(moments)
        self._log_behind(moments)
        self.latest = moments
        self._guard.settle(moments)

    def confirm(self) -> None:
        """Have all processes believe the clock of this machine, and erase by it."""
        self._guard.confirm()
        self.erase_expired()

    @property
    def problems(self) -> list[str]:
        """The code of what a person has to look at, if there is something."""
        if self.latest is None:
            return []
        found = {
            RETENTION_WAITS: bool(self.latest.waiting),
            CLOCK_BEHIND: self.latest.behind is not None,
        }
        return [code for code, is_so in found.items() if is_so]

    def _erase_old_lines(self, moments: SweepMoments) -> None:
        lines = self._prune_audit(moments)
        if lines:
            _log.info("audit_pruned", lines=lines)

    def _erase_expired_people(self, moments: SweepMoments) -> None:
        for receipt in self._gallery.people.erase_expired(
            log_revisions=self._log_revisions,
            answers_before=moments.trusted - self._keys_kept,
            moments=moments,
        ):
            _log.info(
                "expired_erased",
                collection=receipt.collection,
                identities=receipt.identity_count,
                faces=receipt.face_count,
                revision=receipt.revision,
            )
        self._log_held()

    def _log_waiting(self, moments: SweepMoments) -> None:
        """Log what waits for a person, when that begins, changes or ends."""
        before = [] if self.latest is None else self.latest.waiting
        if moments.waiting == before:
            return
        if not moments.waiting:
            _log.info("retention_goes_on")
        for one in moments.waiting:
            _log.warning(
                RETENTION_WAITS,
                why=moments.doubt,
                what=one.what,
                collection=one.collection,
                count=one.count,
                clock=moments.claimed.isoformat(timespec="seconds"),
                trusted=moments.trusted.isoformat(timespec="seconds"),
                remedy="if the clock is right, run vultus sweep --confirm; else set it",
            )

    def _log_behind(self, moments: SweepMoments) -> None:
        """Log that the clock's jumps are not seen for now, when that begins or ends."""
        was_behind = self.latest is not None and self.latest.behind is not None
        if moments.behind is not None and not was_behind:
            _log.warning(
                CLOCK_BEHIND,
                clock=moments.claimed.isoformat(timespec="seconds"),
                behind=moments.behind.isoformat(timespec="seconds"),
                remedy="if the clock is right, run vultus sweep --confirm; else set it",
            )
        elif moments.behind is None and was_behind:
            _log.info("clock_caught_up")

    def _log_held(self) -> None:
        """Log how many people have expired and stay because of a legal hold, when that changes."""
        held = self._gallery.holds.expired(datetime.now(UTC))
        for name in held.keys() | self._held.keys():
            count = held.get(name, 0)
            if count != self._held.get(name, 0):
                _log.info("expired_held", collection=name, identities=count)
        self._held = held
