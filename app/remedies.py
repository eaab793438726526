"""Remedies: what the reader of an error does about it, worded once for each kind of reader.

An error carries facts (`app/errors.py`). Each edge has a table of remedies: `app/api/remedies.py`
for clients of the API, `app/cli/remedies.py` for users of the command line.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from app.errors import NoUsableImage, Reason, RejectedImage, VultusError

Remedy = str | Callable[[Any], str] | None
"""A text, with attributes of the error in braces; a function of the error (or of the
`RejectedImage`); None where the fact says enough; NEVER."""
NEVER: Final = ""
"""The remedy of an error that this kind of reader never gets."""

REASONS_THAT_SAY_ENOUGH: Mapping[type[VultusError] | Reason, Remedy] = dict.fromkeys(
    (
        Reason.SMALL_FACE,
        Reason.LOW_SHARPNESS,
        Reason.LOW_BRIGHTNESS,
        Reason.HIGH_BRIGHTNESS,
        Reason.LOW_CONTRAST,
        Reason.EXTREME_POSE,
        Reason.UNCLEAR_DIRECTION,
        Reason.CROPPED_FACE,
        Reason.OCCLUDED_FACE,
        Reason.LOW_DETECTION_SCORE,
        Reason.UNRELIABLE_FACE,
        Reason.IMAGE_UNREADABLE,
        Reason.IMAGE_TOO_LARGE,  # with the error of the image, the remedy is that of the error
    )
)
"""Their texts name the remedy, which is the photographer's and the same for every reader."""


def or_raise_the_limit(remedy: str, otherwise: str) -> Callable[[Any], str]:
    """The remedy of an error by a limit; with `otherwise` and the setting, where there is one."""

    def worded(error: Any) -> str:  # noqa: ANN401  (any error with a `setting`)
        return remedy if error.setting is None else f"{remedy}{otherwise} {error.setting}"

    worded.__doc__ = f"{remedy}{otherwise} the limit"
    return worded


class Remedies:
    """The remedies for one kind of reader, by class of error and by reason of a rejected image.

    An error without an entry of its own has that of its base class.
    """

    def __init__(self, table: Mapping[type[VultusError] | Reason, Remedy]) -> None:
        self.table = table

    def detail(self, error: VultusError) -> str:
        """Fact and remedy."""
        if isinstance(error, NoUsableImage) and len(error.rejected) == 1:
            remedy = self._of_image(error.rejected[0])  # the fact is that of the only image
        else:
            remedy = self._of_error(error)
        return _joined(str(error), remedy)

    def detail_of_image(self, image: RejectedImage) -> str:
        """Fact and remedy."""
        return _joined(image.detail, self._of_image(image))

    def find(self, kind: type[VultusError]) -> Remedy:
        """The remedy of a class of errors."""
        return next(self.table[base] for base in kind.__mro__ if base in self.table)

    def _of_error(self, error: VultusError) -> str:
        return _worded(self.find(type(error)), error, vars(error))

    def _of_image(self, image: RejectedImage) -> str:
        if image.error is not None:
            return self._of_error(image.error)
        remedies = [_worded(self.table[reason], image, {}) for reason in image.reasons]
        return "; ".join(dict.fromkeys(filter(None, remedies)))


def _worded(remedy: Remedy, subject: object, attributes: Mapping[str, object]) -> str:
    if remedy is None:
        return ""
    return remedy(subject) if callable(remedy) else remedy.format_map(attributes)


def _joined(fact: str, remedy: str) -> str:
    return f"{fact}; {remedy}" if remedy else fact
