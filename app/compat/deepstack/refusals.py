"""What this dialect refuses by itself, and how it words the problems of the service.

DeepStack answers errors by 400, 401, 403 and 500 alone: its clients know no other statuses. `error`
is its own text, to the letter where it has one; `message` is what the service says of it, with the
remedy.
"""

from collections.abc import Mapping
from typing import Final

from fastapi.responses import JSONResponse
from starlette.responses import Response

from app.api.problem import Problem
from app.errors import (
    AccessDenied,
    DeadlineExceeded,
    ImageTooLarge,
    ImageUnreadable,
    InvalidRequest,
    KeyExpired,
    KeyRevoked,
    NoUsableImage,
    Reason,
    RejectedImage,
    VultusError,
    WrongPerson,
)

NO_PHOTO: Final = "No valid image file found"
INVALID_PHOTO: Final = "invalid image"
NO_FACE: Final = "no face detected"
NO_FACE_TO_COMPARE: Final = "no face found"
NO_USERID: Final = "userid not specified"
WRONG_KEY: Final = "Incorrect api key"
TIMEOUT: Final = "failed to process request before timeout"
DEFECT: Final = "error occured on the server"
"""The spelling is DeepStack's."""

_STATUSES: Final[Mapping[int, int]] = {401: 401, 403: 403, 404: 404, 405: 405}
"""Those that are answered as they are. A path that neither API has is no business of clients."""
_REMEDIES: Final[Mapping[type[VultusError], str]] = {
    KeyRevoked: "ask who runs the service for another",
    KeyExpired: "ask who runs the service for another",
    AccessDenied: "send a valid key in the field api_key, or in the x-api-key header",
    WrongPerson: "send other photos; or who runs the service has to set "
    "VULTUS_DEEPSTACK__GUARDS=false",
}
_UNREADABLE: Final = {Reason.IMAGE_UNREADABLE, Reason.IMAGE_TOO_LARGE}


class Refused(InvalidRequest):
    """A request that is answered by this text, and by `status`."""

    def __init__(self, text: str, *, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


def refusal(error: str, *, status: int, message: str | None = None, **headers: str) -> Response:
    """Answer that something failed."""
    said = {} if message is None or message == error else {"message": message}
    body = {"success": False, "error": error, **said, "duration": 0}
    return JSONResponse(body, status_code=status, headers=headers)


def worded(problem: Problem) -> Response:
    """Answer a problem of any request."""
    error = problem.error
    if isinstance(error, Refused):
        return refusal(str(error), status=error.status)
    text, message = _text_of(problem), _message_of(problem)
    status = _STATUSES.get(problem.status, 500 if _is_for_later(problem.status) else 400)
    return refusal(text, status=status, message=message, **problem.headers)


def _is_for_later(status: int) -> bool:
    """Whether the same request may be answered later: limits, overload, defects."""
    return status == 429 or status >= 500


def _text_of(problem: Problem) -> str:
    error = problem.error
    if error is None and problem.status >= 500:
        return DEFECT
    if isinstance(error, AccessDenied):
        return WRONG_KEY
    if isinstance(error, DeadlineExceeded):
        return TIMEOUT
    if isinstance(error, ImageUnreadable | ImageTooLarge):
        return INVALID_PHOTO
    if isinstance(error, NoUsableImage):
        return unusable(error)
    return problem.fact


def _message_of(problem: Problem) -> str:
    """The service's own words; its remedies are for clients of its own API in places."""
    error = problem.error
    if isinstance(error, NoUsableImage):
        return "; ".join(dict.fromkeys(image.detail for image in error.rejected)) or problem.fact
    remedy = next((text for kind, text in _REMEDIES.items() if isinstance(error, kind)), None)
    return problem.detail if remedy is None else f"{problem.fact}; {remedy}"


def unusable(error: NoUsableImage) -> str:
    """Say why none of the photos of a person was used: those without a face first."""
    rejected = list(error.rejected)
    if rejected and all(_UNREADABLE & set(image.reasons) for image in rejected):
        return INVALID_PHOTO
    with_face = [image for image in rejected if not _faceless(image)]
    if not with_face:
        return NO_FACE
    return f"{NO_FACE}: {with_face[0].detail}"


def _faceless(image: RejectedImage) -> bool:
    return Reason.NO_FACE in image.reasons or bool(_UNREADABLE & set(image.reasons))
