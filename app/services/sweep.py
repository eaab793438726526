"""The erasure of expired people and unknown faces."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from app.gallery.gallery import Gallery
from app.gallery.unknowns.unknown_inbox import Unknowns

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
        prune_audit: Callable[[], int],
    ) -> None:
        self._gallery = gallery
        self._unknowns = unknowns
        self._log_revisions = log_revisions
        self._prune_audit = prune_audit
        self._keys_kept = timedelta(seconds=keys_kept_s)
        self._held: dict[str, int] = {}

    def erase_expired(self) -> None:
        """Erase expired people and unknown faces, and log it. One may fail alone.

        People come last: their erasure also overwrites what the database's files still hold of
        the unknown faces.
        """
        try:
            for name, count in self._unknowns.erase_expired().items():
                _log.info("unknowns_erased", collection=name, faces=count)
        finally:
            try:
                self._erase_expired_people()
            finally:
                self._erase_old_lines()

    def _erase_old_lines(self) -> None:
        lines = self._prune_audit()
        if lines:
            _log.info("audit_pruned", lines=lines)

    def _erase_expired_people(self) -> None:
        for receipt in self._gallery.people.erase_expired(
            log_revisions=self._log_revisions,
            answers_before=datetime.now(UTC) - self._keys_kept,
        ):
            _log.info(
                "expired_erased",
                collection=receipt.collection,
                identities=receipt.identity_count,
                faces=receipt.face_count,
                revision=receipt.revision,
            )
        self._log_held()

    def _log_held(self) -> None:
        """Log how many people have expired and stay because of a legal hold, when that changes."""
        held = self._gallery.holds.expired(datetime.now(UTC))
        for name in held.keys() | self._held.keys():
            count = held.get(name, 0)
            if count != self._held.get(name, 0):
                _log.info("expired_held", collection=name, identities=count)
        self._held = held
