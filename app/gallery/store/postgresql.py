"""Connections to PostgreSQL that do not wait for a server that is silent."""

from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

_LOOK_EVERY_S = 0.1
_CONNECT_WITHIN_S = 5.0

V = TypeVar("V")

GivesUp = Callable[[float], bool]
"""Returns whether a wait that has lasted so many seconds is to be given up."""


class WatchedConnection(psycopg.Connection[Any]):
    """A connection that is closed when `gives_up` returns true while it waits for the server.

    A server that hangs keeps its connections: the system acknowledges what is sent to it, so no
    time limit of TCP ever ends, and a query has none of its own. A long query is no sign of it;
    only a second connection that asks meanwhile can distinguish the two.
    """

    gives_up: GivesUp | None = None

    def wait(
        self, gen: PQGen[V], interval: float = _LOOK_EVERY_S, timeout: float | None = None
    ) -> V:
        if self.gives_up is None:
            return super().wait(gen, interval, timeout)
        return super().wait(self._watched(gen, self.gives_up), interval, timeout)

    def _watched(self, gen: PQGen[V], gives_up: GivesUp) -> PQGen[V]:
        began = monotonic()
        try:
            state = next(gen)
            while True:
                ready = yield state
                if not ready and gives_up(monotonic() - began):
                    self.pgconn.finish()
                    raise psycopg.OperationalError("the server has not answered")
                state = gen.send(ready)
        except StopIteration as end:
            result: V = end.value
            return result


def postgresql_arguments(timeout_s: float) -> dict[str, int | str]:
    """Arguments of every connection, beside those of the URL."""
    return {
        "connect_timeout": max(1, int(min(timeout_s, _CONNECT_WITHIN_S))),
        "options": f"-c lock_timeout={int(timeout_s * 1000)}",
        # A server that is cut off is noticed within the timeout, not after hours.
        "tcp_user_timeout": int(timeout_s * 1000),
        "keepalives_idle": max(1, int(timeout_s / 2)),
        "keepalives_interval": max(1, int(timeout_s / 6)),
        "keepalives_count": 3,
    }
