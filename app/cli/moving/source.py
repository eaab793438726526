"""What people are imported from: names, and photos that are read one by one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.gallery.people.text_forms import MAX_NAME_LENGTH, nfc
from app.operations.enroll.enroll_options import EnrollOptions


class PhotoNotGivenError(Exception):
    """A photo that the source has no bytes of; `reason` is a code, the text a fact."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SourcePhoto:
    """A photo of a person. `label` is what the source calls it, and is kept with its face.

    It has at most MAX_NAME_LENGTH characters, and is valid Unicode.
    """

    label: str
    read: Callable[[], bytes]
    """Blocks. Raises PhotoNotGivenError for this photo alone; any other error ends the import."""


def label_of(text: str) -> str:
    """The end of a text that is as long as a label may be; bytes that are no UTF-8 are escaped."""
    valid = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return nfc(valid)[-MAX_NAME_LENGTH:]


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
