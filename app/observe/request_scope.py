"""The stages of the request that is being answered, with their times, and its deadline.

Both travel in context variables, so that code below the API adds to them without a parameter:
`asyncio.to_thread` copies them. Outside of a request there are neither, and noting a time does
nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from time import monotonic, perf_counter

from app.errors import DeadlineExceeded


class Stage(StrEnum):
    """Parts of a request, by the names of its `Server-Timing` header."""

    DECODE = "decode"
    QUEUE = "queue"
    DETECT = "detect"
    EMBED = "embed"
    LIVENESS = "liveness"
    SEARCH = "search"


class StageSeconds:
    """Seconds of each stage, summed over the photos of a request, which may overlap."""

    def __init__(self) -> None:
        self._seconds: dict[Stage, float] = {}

    def add(self, stage: Stage, seconds: float) -> None:
        self._seconds[stage] = self._seconds.get(stage, 0.0) + seconds

    def items(self) -> list[tuple[Stage, float]]:
        """Return the stages in the order of a request."""
        return [(stage, self._seconds[stage]) for stage in Stage if stage in self._seconds]


_stages: ContextVar[StageSeconds | None] = ContextVar("stages", default=None)
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def request_scope(*, deadline: float | None = None) -> Iterator[StageSeconds]:
    """Begin a request; `deadline` is a time of `time.monotonic`."""
    stages = StageSeconds()
    stages_token, deadline_token = _stages.set(stages), _deadline.set(deadline)
    try:
        yield stages
    finally:
        _stages.reset(stages_token)
        _deadline.reset(deadline_token)


def note(stage: Stage, seconds: float) -> None:
    stages = _stages.get()
    if stages is not None:
        stages.add(stage, seconds)


def spent() -> dict[Stage, float]:
    """Return the seconds of each stage so far; nothing outside of a request."""
    stages = _stages.get()
    return {} if stages is None else dict(stages.items())


@contextmanager
def timed(stage: Stage) -> Iterator[None]:
    started = perf_counter()
    try:
        yield
    finally:
        note(stage, perf_counter() - started)


def deadline() -> float | None:
    """Return when the caller stops waiting, by `time.monotonic`; None when they never do."""
    return _deadline.get()


def require_time() -> None:
    """Raises DeadlineExceeded when the caller has stopped waiting."""
    due = _deadline.get()
    if due is not None and monotonic() > due:
        raise past_deadline()


def past_deadline() -> DeadlineExceeded:
    return DeadlineExceeded("the time that the request gave is over")
