"""The errors of Vultus by the names that clients of Rekognition know."""

from dataclasses import dataclass
from http import HTTPStatus

from app import errors
from app.compat.rekognition.faults import Fault, SignatureIncomplete, SignatureWrong
from app.errors import AccessDenied, NoUsableImage, Reason, VultusError
from app.remedies import Remedies

_BAD, _FAILED = HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR


@dataclass(frozen=True, slots=True)
class ErrorType:
    """The name of an error on the wire, and its status."""

    name: str
    status: int = _BAD


INVALID = ErrorType("InvalidParameterException")
TOO_LARGE = ErrorType("ImageTooLargeException")
INTERNAL = ErrorType("InternalServerError", _FAILED)
ACCESS_DENIED = ErrorType("AccessDeniedException")
_FORMAT = ErrorType("InvalidImageFormatException")
_MISSING = ErrorType("ResourceNotFoundException")
_CONFLICT = ErrorType("ConflictException")
_UNKNOWN_CLIENT = ErrorType("UnrecognizedClientException")
# Clients send a request again after these two.
_TOO_MANY = ErrorType("ProvisionedThroughputExceededException")
_THROTTLED = ErrorType("ThrottlingException", _FAILED)

TYPES: tuple[tuple[type[VultusError], ErrorType], ...] = (  # the first that fits
    (errors.RequestTooLarge, TOO_LARGE),
    (errors.ImageTooLarge, TOO_LARGE),
    (errors.ImageUnreadable, _FORMAT),
    (errors.UnsupportedMediaType, _FORMAT),
    (errors.ThresholdRequired, INTERNAL),
    (errors.InputError, INVALID),
    (errors.MalformedRequest, INVALID),
    (errors.RequestTimeout, ErrorType("RequestTimeoutException", HTTPStatus.REQUEST_TIMEOUT)),
    (SignatureIncomplete, ErrorType("IncompleteSignatureException")),
    (SignatureWrong, ErrorType("InvalidSignatureException")),
    (errors.AccessDenied, _UNKNOWN_CLIENT),
    (errors.HostUnknown, ACCESS_DENIED),
    (errors.CrossSite, ACCESS_DENIED),
    (errors.Forbidden, ACCESS_DENIED),
    (errors.FaceNotFound, INVALID),
    (errors.NotFound, _MISSING),
    (errors.CollectionExists, ErrorType("ResourceAlreadyExistsException")),
    (errors.IdempotencyKeyReused, ErrorType("IdempotentParameterMismatchException")),
    (errors.PersonHeld, ACCESS_DENIED),
    (errors.EmbedderMismatch, INTERNAL),
    (errors.EmbeddingUnreadable, INTERNAL),
    (errors.KeySecretSealed, INTERNAL),
    (errors.Conflict, _CONFLICT),
    (errors.TooManyRequests, _TOO_MANY),
    (errors.Unavailable, _THROTTLED),
)

_OPERATOR = "who runs the service has to "
REMEDIES = Remedies(
    {
        VultusError: None,
        **dict.fromkeys(Reason),
        errors.CollectionNotFound: "create it with CreateCollection",
        errors.CollectionExists: "choose another name",
        SignatureWrong: "check the secret access key and the clock of the client, and that "
        "no proxy changes the host or the body",
        errors.KeyExpired: "ask who runs the service for another pair",
        errors.KeyRevoked: "ask who runs the service for another pair",
        errors.RightMissing: "use a pair whose key has it",
        errors.CollectionNotGranted: "use a pair whose key may",
        errors.PersonHeld: _OPERATOR + "lift the hold first",
        errors.ThresholdRequired: _OPERATOR + "measure the error rates on the people of a "
        "collection, or to set {settings}",
        errors.KeySecretSealed: _OPERATOR + "rotate the key",
        errors.EmbedderMismatch: _OPERATOR + "start it with VULTUS_EMBEDDER={embedder} and its "
        "weights; or delete the collection and index its images again",
    }
)
"""What a client of Rekognition does about an error."""


def type_of(error: VultusError) -> ErrorType:
    """Return the name and status of an error."""
    if isinstance(error, Fault):
        return ErrorType(error.type, error.status)
    if isinstance(error, AccessDenied) and error.key == "missing":
        return ErrorType("MissingAuthenticationTokenException")
    if isinstance(error, NoUsableImage) and error.code == Reason.IMAGE_TOO_LARGE:
        return TOO_LARGE
    if isinstance(error, NoUsableImage) and error.code == Reason.IMAGE_UNREADABLE:
        return _FORMAT
    known = (found for base, found in TYPES if isinstance(error, base))
    return next(known, INTERNAL)
