"""Requests that may be sent again, and the answers that are kept for them.

The answer is written in the transaction of the change itself: either both are there or neither.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

ResultT = TypeVar("ResultT")

MAX_SCOPE_LENGTH = 256


@dataclass(frozen=True, slots=True)
class Ticket:
    """A key that a client chose for one request. Of the key only the digest is kept.

    `scope` is the method and path, or another name of what is done, at most MAX_SCOPE_LENGTH
    characters; the same key means another request elsewhere.
    """

    scope: str
    key_sha256: str
    request_sha256: str


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """A kept answer: the HTTP status and the JSON body; it has no embedding."""

    status: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Once(Generic[ResultT]):
    """Makes a change happen once a ticket; `answer` makes of its result what is kept."""

    ticket: Ticket
    answer: Callable[[ResultT], KeptAnswer]


class AnsweredBeforeError(Exception):
    """The ticket's key was used by a transaction that is committed; nothing was changed now."""
