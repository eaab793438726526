"""Limits on searches by an embedding, of one caller and hour; counted in this process alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from app.api.edge.token_buckets import TokenBuckets
from app.errors import TooManySearches
from app.observe.acting import sees_exact_similarities
from app.operations.policy.decisions import Decision
from app.settings import Limits

_HOUR_S = 3_600
_MOST_REMEMBERED = 100_000


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Whose limit was reached, by its setting, and until when nothing is searched."""

    setting: str
    until: float


class SearchQuota:
    """Counts who was shown to whom, and refuses the answers beyond the limits.

    An embedding that finds somebody points towards theirs, so the mean of some of them is like it:
    each caller may be shown each person a few times, and try in vain more often. A photo cannot be
    chosen as freely as an embedding, and doors see the same people all day: only searches by an
    embedding or an enrolled face count, of callers without the right `templates`.

    Beyond a limit all such searches of the caller are refused for a while, whomever they are for:
    if only those that find the person were, the refusal would say that they do. `clock` returns
    seconds.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._per_person = _hourly(limits.searches_per_person, clock)
        self._in_vain = _hourly(limits.searches_in_vain, clock)
        self._refused: dict[str, _Refusal] = {}
        """Callers beyond a limit, the first one first."""

    def require(self, caller: str) -> None:
        """Raise TooManySearches while the searches of a caller are refused."""
        refusal = self._refused.get(caller)
        if refusal is None or sees_exact_similarities():
            return
        wait_s = refusal.until - self._clock()
        if wait_s > 0:
            raise _error(refusal.setting, wait_s)
        del self._refused[caller]

    def count(self, caller: str, decision: Decision) -> None:
        """Count a decision that the caller is to be answered. Raises TooManySearches."""
        self.count_people(caller, [found.identity.id for found in decision.candidates])

    def count_people(self, caller: str, identity_ids: Sequence[str]) -> None:
        """Count a search that is to show these people. Raises TooManySearches."""
        if sees_exact_similarities():
            return
        if identity_ids:
            setting = "VULTUS_LIMITS__SEARCHES_PER_PERSON"
            buckets = [f"{identity_id} {caller}" for identity_id in identity_ids]
            wait_s = max(self._per_person.take(bucket) for bucket in buckets)
        else:
            setting = "VULTUS_LIMITS__SEARCHES_IN_VAIN"
            wait_s = self._in_vain.take(caller)
        if wait_s:
            self._refuse(caller, _Refusal(setting, self._clock() + wait_s))
            raise _error(setting, wait_s)

    def _refuse(self, caller: str, refusal: _Refusal) -> None:
        self._refused.pop(caller, None)
        self._refused[caller] = refusal
        if len(self._refused) > _MOST_REMEMBERED:
            del self._refused[next(iter(self._refused))]


def _hourly(most: int, clock: Callable[[], float]) -> TokenBuckets:
    return TokenBuckets(
        rate_per_s=most / _HOUR_S, burst=most, most_callers=_MOST_REMEMBERED, clock=clock
    )


def _error(setting: str, wait_s: float) -> TooManySearches:
    return TooManySearches(
        "your searches of the last hour found one person too often, or too often nobody; the next "
        f"one may come in {wait_s:.3g} s",
        retry_after_s=wait_s,
        setting=setting,
    )
