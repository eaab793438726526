"""What a collection would decide by its second embedder, beside what it decides by its first."""

from collections.abc import Callable, Sequence
from enum import StrEnum

import structlog

from app.errors import VultusError
from app.operations.policy.decisions import Decision

_log = structlog.get_logger(__name__)


class Agreement(StrEnum):
    """Whether two embedders decide the same about a face."""

    SAME = "same"
    """Both name the same person, or neither names anybody."""
    ONLY_FIRST = "only_first"
    ONLY_SECOND = "only_second"
    """Only that one names somebody."""
    OTHER_PERSON = "other_person"


def agreement(first: Decision, second: Decision) -> Agreement:
    if first.identity is None and second.identity is None:
        return Agreement.SAME
    if second.identity is None:
        return Agreement.ONLY_FIRST
    if first.identity is None:
        return Agreement.ONLY_SECOND
    same = first.identity.id == second.identity.id
    return Agreement.SAME if same else Agreement.OTHER_PERSON


class LiveShadow:
    """Counts how far the embedders agree about what is asked; it changes no answer.

    `count` is told every agreement. Neither the log nor it learns who was asked about.
    """

    def __init__(self, count: Callable[[Agreement], None]) -> None:
        self._count = count

    def compare(
        self,
        collection: str,
        decisions: Sequence[Decision],
        decide_by_other_embedder: Callable[[], Sequence[Decision] | None],
    ) -> None:
        """Blocks; raises nothing of what may go wrong: the answer stands."""
        try:
            others = decide_by_other_embedder()
        except VultusError as error:
            _log.warning("shadow_not_decided", collection=collection, cause=str(error))
            return
        except Exception:  # noqa: BLE001  (see above; it is logged with its traceback)
            _log.exception("shadow_not_decided", collection=collection)
            return
        if others is None:  # the collection has one embedder only
            return
        for first, second in zip(decisions, others, strict=True):
            found = agreement(first, second)
            self._count(found)
            _log.info(
                "shadow",
                collection=collection,
                agreement=found,
                first=first.status,
                second=second.status,
            )
