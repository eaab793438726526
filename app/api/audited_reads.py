"""What a route reads of people, for the audit log."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.gallery.journal.actions import Action

_IDS = ("face_id", "group_id")
"""Parameters of paths that a line names."""


def _nobody(_: Any) -> Iterable[str | None]:  # noqa: ANN401  (the result of any route)
    return ()


@dataclass(frozen=True, slots=True)
class Reads:
    """A read of personal data. `people` finds in the route's result whom it was about, by id.

    `always`: it has a line also where the options of the collection ask for none.
    """

    action: Action
    people: Callable[[Any], Iterable[str | None]] = _nobody
    always: bool = False
    by_collection: Callable[[Any], Mapping[str, Iterable[str]]] | None = None
    """Of a read of several collections: whom it was about in each of them."""

    def note(self, values: Mapping[str, Any], result: object) -> None:
        """Note it, by the route's parameters and its result."""
        details = {name: values[name] for name in _IDS if name in values}
        if self.by_collection is not None:
            found = self.by_collection(result)
            for name, people in found.items():
                values["services"].reads.note(self.action, name, people, always=self.always)
            if found:
                return
        collection = values.get("collection") or getattr(values.get("body"), "collection", None)
        values["services"].reads.note(
            self.action, collection, self.people(result), always=self.always, **details
        )
