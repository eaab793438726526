"""Operations, each declared once: its input, the right that it needs, and what it does."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fastapi import Request

from app.api.deps import CountedSearches, services_of
from app.api.edge.callers import Caller, caller_in
from app.api.granted import Wanted
from app.compat.rekognition.schemas.base import Input, Output
from app.compat.rekognition.schemas.images import Image
from app.gallery.journal.actions import Action
from app.services import Services

InputT = TypeVar("InputT", bound=Input)


@dataclass(frozen=True, slots=True)
class Call(Generic[InputT]):
    """A call of an operation, whose input was checked and whose caller may make it.

    `body` has the input; its collection, where it names one, is one that the caller sees.
    """

    request: Request
    body: InputT
    region: str
    """As the signature has it; it is shown in the names of collections."""

    @property
    def services(self) -> Services:
        return services_of(self.request)

    @property
    def caller(self) -> Caller:
        return caller_in(self.request.scope)

    @property
    def counted_searches(self) -> CountedSearches:
        """Counts what a search by an enrolled face shows; see `SearchQuota`."""
        return CountedSearches(self.request)

    def note_read(self, action: Action, people: Iterable[str | None] = ()) -> None:
        """Note a read of personal data for the audit log: of these people, by id."""
        collection = getattr(self.body, "collection_id", None)
        self.services.reads.note(action, collection, people)


Does = Callable[[Call[Any]], Awaitable[Output | None]]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation by its name on the wire."""

    name: str
    input: type[Input]
    right: Wanted
    do: Does
    large: bool = False
    """Whether the output has up to thousands of items, and is written as text in a thread."""

    @property
    def path(self) -> str:
        """Return what the log and the metrics call it, as they name routes by their paths."""
        return f"/rekognition#{self.name}"

    @property
    def brings_photos(self) -> bool:
        """Return whether each call has a photo for the queue."""
        return any(field.annotation is Image for field in self.input.model_fields.values())


OPERATIONS: dict[str, Operation] = {}
"""All of them, by name: `operations/__init__.py` imports the files that have them."""

DoesT = TypeVar("DoesT", bound=Callable[..., Awaitable[Output | None]])


def operation(
    name: str, body: type[Input], *, right: Wanted, large: bool = False
) -> Callable[[DoesT], DoesT]:
    """Make a coroutine function an operation, which only a key with this `right` may call.

    It gets a `Call` of the input `body`, and returns the output, or None where there is none.
    """

    def add(function: DoesT) -> DoesT:
        OPERATIONS[name] = Operation(name, body, right, function, large)
        return function

    return add
