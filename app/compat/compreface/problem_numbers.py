"""What each problem of the service is in CompreFace's numbers: one table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi.responses import JSONResponse
from starlette.responses import Response

from app.api.problem import Problem
from app.compat.compreface.codes import NO_FACE_TEXT, SEVERAL_FACES_TEXT, Code
from app.compat.compreface.refusals import Refused
from app.errors import (
    AccessDenied,
    Conflict,
    EmbedderMismatch,
    ExternalIdTaken,
    FaceNotFound,
    Forbidden,
    HeadersTooLarge,
    IdentityNotFound,
    ImageTooLarge,
    ImageUnreadable,
    InputError,
    MalformedRequest,
    NoUsableImage,
    Reason,
    RequestTooLarge,
    ThresholdRequired,
    Unavailable,
    VultusError,
    WrongPerson,
)


@dataclass(frozen=True, slots=True)
class _Words:
    """Number, status and message of an answer; None: the status, or the detail, of the problem."""

    number: Code
    status: int | None = None
    message: str | None = None


_NO_FACE = _Words(Code.NO_FACE, 400, NO_FACE_TEXT)
_SEVERAL_FACES = _Words(Code.SEVERAL_FACES, 400, SEVERAL_FACES_TEXT)
_INVALID = _Words(Code.MALFORMED, 400)


def _refused(error: Refused) -> _Words:
    return _Words(error.number, error.status, error.message)


def _of_key(error: AccessDenied) -> _Words:
    if error.key == "missing":
        return _Words(Code.KEY_MISSING, 400, "Missing header: x-api-key")
    return _Words(Code.KEY_UNKNOWN, 404)


def _of_photos(error: NoUsableImage) -> _Words:
    """The words for a photo that was refused. Reasons of quality have no number of their own."""
    if not any(image.faces for image in error.rejected):
        return _NO_FACE  # also of a picture that is black, or cut off
    return _SEVERAL_FACES if error.code == Reason.SEVERAL_FACES else _INVALID


_BY_ERROR: tuple[tuple[type[VultusError], _Words | Callable[[Any], _Words]], ...] = (
    (Refused, _refused),  # the first that fits
    (ImageTooLarge, _Words(Code.UNKNOWN)),
    (RequestTooLarge, _Words(Code.UNKNOWN)),
    (HeadersTooLarge, _Words(Code.UNKNOWN)),
    (MalformedRequest, _INVALID),
    (ImageUnreadable, _NO_FACE),
    (NoUsableImage, _of_photos),
    (WrongPerson, _INVALID),
    (ThresholdRequired, _Words(Code.UNAVAILABLE, 500)),
    (InputError, _INVALID),
    (AccessDenied, _of_key),
    # CompreFace refuses a key of another kind of service like one that it does not know.
    (Forbidden, _Words(Code.KEY_UNKNOWN, 404)),
    (IdentityNotFound, _Words(Code.SUBJECT_NOT_FOUND)),
    (FaceNotFound, _Words(Code.FACE_NOT_FOUND)),
    (ExternalIdTaken, _Words(Code.SUBJECT_EXISTS, 400, "Subject already exists")),
    (EmbedderMismatch, _Words(Code.READ_ONLY, 405)),
    (Conflict, _Words(Code.MALFORMED)),
    (Unavailable, _Words(Code.UNAVAILABLE)),
)
"""Words of a kind of errors, or what finds them for one. Others have no number: it is 0."""

_UNKNOWN_PATH = {404, 405}
_NOT_ANSWERED = {"allow", "www-authenticate"}
"""Headers that belong to a status that CompreFace does not answer."""


def answer_of(problem: Problem) -> Response:
    """Word a problem as CompreFace does, with the status that its clients expect."""
    words = _words(problem)
    return JSONResponse(
        {"message": words.message or problem.detail, "code": words.number},
        status_code=words.status or problem.status,
        headers={
            name: value
            for name, value in problem.headers.items()
            if name.lower() not in _NOT_ANSWERED
        },
    )


def _words(problem: Problem) -> _Words:
    error = problem.error
    if error is None:
        return _Words(Code.UNKNOWN, 404 if problem.status in _UNKNOWN_PATH else None)
    if problem.code == Reason.IMAGE_TOO_LARGE:
        return _Words(Code.UNKNOWN)
    for kind, words in _BY_ERROR:
        if isinstance(error, kind):
            return words if isinstance(words, _Words) else words(error)
    return _Words(Code.UNKNOWN)
