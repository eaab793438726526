"""Connections to PostgreSQL that do not wait for a server that is silent."""

from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

from app.gallery.store.postgresql import GivesUp

_LOOK_EVERY_S = 0.1

V = TypeVar("V")


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
