"""Writes that follow a search: matches at terminals, and unknown faces. They block."""

from collections.abc import Iterable, Sequence
from math import inf
from time import monotonic

import structlog

from app.errors import CollectionNotFound, DatabaseUnavailable
from app.gallery.gallery import Gallery
from app.gallery.store.database import waiting_briefly
from app.gallery.unknowns.unknown_records import Sighting
from app.operations.identify.blocking_search import Decided
from app.operations.policy.decisions import Decision, SearchOptions
from app.operations.policy.disclosure import shown
from app.operations.unknowns import UnknownKeeper

_WAITS_S = 1.0
"""Time that a write waits for the lock of the database."""
_WAITS_AGAIN_S = 0.05
"""The same within _LOCKED_S after a long wait, so that not every answer is late."""
_LOCKED_S = 10.0

_log = structlog.get_logger(__name__)


class BlockingNotes:
    """Remembers the people who were matched at a terminal, and keeps unknown faces.

    A terminal remembers `terminal_people`.
    """

    def __init__(self, gallery: Gallery, keeper: UnknownKeeper, *, terminal_people: int) -> None:
        self._gallery = gallery
        self._keeper = keeper
        self._terminal_people = terminal_people
        self._locked_at = -inf

    @property
    def can_seal_crops(self) -> bool:
        """Whether there is a key for crops of unknown faces. Does not block."""
        return self._keeper.can_seal_crops

    def keeps_crops(self, collection: str) -> bool:
        """Return whether a crop of an unknown face would be kept.

        Raises CollectionNotFound and EmbedderMismatch.
        """
        return self._keeper.keeps_crops(collection)

    def write(
        self,
        collection: str,
        decided: Decided,
        options: SearchOptions,
        strangers: Sequence[Sighting | None],
    ) -> list[Decision]:
        """Write, and return the decisions with the groups of the `strangers` that were kept."""
        began = monotonic()
        was_locked = began - self._locked_at < _LOCKED_S
        with waiting_briefly(_WAITS_AGAIN_S if was_locked else _WAITS_S):
            if options.terminal_id is not None:
                self._remember(collection, options.terminal_id, decided)
            decisions = self._keeper.keep(collection, strangers, decided, options)
        if monotonic() - began > _WAITS_S:
            self._locked_at = monotonic()
        return decisions

    def _remember(self, collection: str, terminal_id: str, decided: Decided) -> None:
        # As any caller is shown it: events are for others than the one who asked.
        similarities = {
            one.identity.id: shown(one.similarity, decided.policy.least_shown, one.threshold)
            for one in decided.decisions
            if one.identity is not None and one.similarity is not None
        }
        if not similarities:
            return
        try:
            self._gallery.search.remember(
                collection,
                terminal_id,
                list(similarities),
                most=self._terminal_people,
                similarities=similarities,
            )
        except (DatabaseUnavailable, CollectionNotFound) as error:
            # Only log it: what a terminal remembers only makes the next search faster.
            _log.warning("match_not_remembered", terminal=terminal_id, cause=str(error))


def matched(decisions: Iterable[Decision]) -> list[str]:
    """The ids of the people who were recognised, each once."""
    return list(
        {decision.identity.id: None for decision in decisions if decision.identity is not None}
    )
