"""Faults of a request on its way: seen by the connection, answered by the application."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from app.api.edge.middleware import Middleware
from app.api.problems import refuse
from app.errors import VultusError

_KEY = "arrival"


@dataclass(slots=True)
class Arrival:
    """Faults of a request on its way; the connection keeps them up to date."""

    refusal: VultusError | None = None
    """The error that keeps the request from being read, or from being read further."""
    path: str = ""
    headers: Sequence[tuple[bytes, bytes]] = ()
    """What arrived of the head, where a refusal stands for the request: its clients read it."""
    is_over: bool = False
    """True when the connection has stopped waiting for the rest of the body."""


def announce(state: dict[str, Any], arrival: Arrival) -> None:
    """Pass an arrival on to the application, in the state of its request."""
    state[_KEY] = arrival


def arrival_of(scope: Scope) -> Arrival:
    """The arrival of a request; one without faults where the server says nothing."""
    found = scope.setdefault("state", {}).get(_KEY)
    return found if isinstance(found, Arrival) else Arrival()


class Refusals(Middleware):
    """Answers what the connection refuses, in the format of all problems.

    So such a request has an id, a line in the log and a place in the metrics like any other. A
    refusal may come before the request is one (its headers are too large) or while its body is
    read: then the next message raises it.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        arrival = arrival_of(scope)
        if arrival.refusal is not None:
            await refuse(arrival.refusal, scope, receive, send)
            return

        async def receive_or_refuse() -> Message:
            message = await receive()
            if arrival.refusal is not None and message["type"] == "http.request":
                raise arrival.refusal
            return message

        await self._app(scope, receive_or_refuse, send)
