"""What people are imported from: names, and photos that are read one by one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.operations.enroll.enroll_options import EnrollOptions


class PhotoNotGivenError(Exception):
    """A photo that the source has no bytes of; `reason` is a code, the text a fact."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SourcePhoto:
    """A photo of a person. `label` is what the source calls it, and is kept with its face."""

    label: str
    read: Callable[[], bytes]
    """Blocks. Raises PhotoNotGivenError for this photo alone; any other error ends the import."""


class Source(Protocol):
    """People and their photos."""

    @property
    def people(self) -> Mapping[str, Sequence[SourcePhoto]]:
        """The photos of each person, by name."""
        ...

    @property
    def has_unique_labels(self) -> bool:
        """Whether a label is that of one photo for ever: a face that has it is of this photo."""
        ...

    @property
    def keeps_people_without_face(self) -> bool:
        """Whether a person comes over also when no photo of them does."""
        ...

    def options(self, asked: EnrollOptions) -> EnrollOptions:
        """How photos of this source are enrolled."""
        ...
