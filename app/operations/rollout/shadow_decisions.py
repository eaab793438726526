"""Decisions by the other embedder of a collection, compared with those that it answers."""

from collections.abc import Callable, Sequence
from enum import StrEnum

import structlog

from app.errors import VultusError
from app.operations.policy.decisions import Decision

_log = structlog.get_logger(__name__)


class Agreement(StrEnum):
    """Agreement of two embedders about a face."""

    SAME = "same"
    """Both name the same person, or neither names one."""
    ONLY_SERVING = "only_first"
    """Only the embedder that the collection answers by names somebody."""
    ONLY_OTHER = "only_second"
    """Only the other embedder names somebody."""
    OTHER_PERSON = "other_person"


def agreement(serving: Decision, other: Decision) -> Agreement:
    if serving.identity is None and other.identity is None:
        return Agreement.SAME
    if other.identity is None:
        return Agreement.ONLY_SERVING
    if serving.identity is None:
        return Agreement.ONLY_OTHER
    same = serving.identity.id == other.identity.id
    return Agreement.SAME if same else Agreement.OTHER_PERSON


class LiveShadow:
    """Counts how often both embedders agree about searches; it changes no answer.

    `count` is called for each face. Neither the log nor `count` receives who it was.
    """

    def __init__(self, count: Callable[[Agreement], None]) -> None:
        self._count = count

    def compare(
        self,
        collection: str,
        decisions: Sequence[Decision],
        decide_by_other_embedder: Callable[[], Sequence[Decision] | None],
    ) -> None:
        """Compare decisions. It blocks, and logs all errors, as the answer must not fail by
        them."""
        try:
            others = decide_by_other_embedder()
        except VultusError as error:
            _log.warning("shadow_not_decided", collection=collection, cause=str(error))
            return
        except Exception:  # noqa: BLE001  (see above; it is logged with its traceback)
            _log.exception("shadow_not_decided", collection=collection)
            return
        if others is None:  # the collection has only one embedder
            return
        for serving, other in zip(decisions, others, strict=True):
            agreed = agreement(serving, other)
            self._count(agreed)
            _log.info(
                "shadow",
                collection=collection,
                agreement=agreed,
                first=serving.status,
                second=other.status,
            )
