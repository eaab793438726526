"""Limits on searches by an embedding, of one caller and hour; counted in this process alone."""

from app.api.edge.token_buckets import TokenBuckets
from app.errors import TooManySearches
from app.observe.acting import sees_exact_similarities
from app.operations.policy.decisions import Decision
from app.settings import Limits

_HOUR_S = 3_600
_MOST_REMEMBERED = 100_000


class SearchQuota:
    """Counts who was shown to whom, and refuses the answers beyond the limits.

    An embedding that finds somebody points towards theirs, so the mean of some of them is like it:
    each caller may be shown each person a few times, and try in vain more often. A photo cannot be
    chosen as freely as an embedding, and doors see the same people all day: only searches by an
    embedding or an enrolled face count, of callers without the right `templates`.
    """

    def __init__(self, limits: Limits) -> None:
        self._per_person = _hourly(limits.searches_per_person)
        self._in_vain = _hourly(limits.searches_in_vain)

    def count(self, caller: str, decision: Decision) -> None:
        """Count a decision that the caller is to be answered. Raises TooManySearches."""
        if sees_exact_similarities():
            return
        if not decision.candidates:
            _require(
                self._in_vain.take(caller),
                "too many of your searches found nobody",
                "VULTUS_LIMITS__SEARCHES_IN_VAIN",
            )
        for found in decision.candidates:
            _require(
                self._per_person.take(f"{found.identity.id} {caller}"),
                "you have found one of these people too often",
                "VULTUS_LIMITS__SEARCHES_PER_PERSON",
            )


def _hourly(most: int) -> TokenBuckets:
    return TokenBuckets(rate_per_s=most / _HOUR_S, burst=most, most_callers=_MOST_REMEMBERED)


def _require(wait_s: float, fact: str, setting: str) -> None:
    if wait_s:
        raise TooManySearches(
            f"{fact} in the last hour, and may search again in {wait_s:.0f} s",
            retry_after_s=wait_s,
            setting=setting,
        )
