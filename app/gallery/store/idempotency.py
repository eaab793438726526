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


def without_names(value: object) -> object:
    """Return a part of an answer without what describes the people in it: names, external_ids,
    attributes, and labels of photos, which are often names, too."""
    if isinstance(value, list):
        return [without_names(one) for one in value]
    if not isinstance(value, dict):
        return value
    nameless = {name: without_names(one) for name, one in value.items()}
    if "external_id" in nameless:  # the model and the collection have names as well
        nameless.update({name: empty for name, empty in _PERSON.items() if name in nameless})
    if "image_label" in nameless:
        nameless["image_label"] = None
    return nameless


def without_person(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer about a person of the same form with ids, places and counts only."""
    nameless = {name: without_names(value) for name, value in body.items()}
    if "subject" in nameless:  # as another API calls the name
        nameless["subject"] = None
    return nameless


_PERSON: Mapping[str, Any] = {"name": None, "external_id": None, "attributes": {}}
