"""Errors that this dialect alone has, by the names that its clients know."""

from http import HTTPStatus

from app.errors import InputError, SignatureRefused


class Fault(InputError):
    """An error that has no counterpart among Vultus' own. `type` is its name on the wire."""

    type = "InvalidParameterException"
    status = HTTPStatus.BAD_REQUEST


class InvalidParameter(Fault):
    """A member, or what an image shows, is not as the operation needs it."""


class InvalidS3Object(Fault):
    """An image is named by its place in a bucket of AWS."""

    type = "InvalidS3ObjectException"

    def __init__(self) -> None:
        super().__init__("this service reads no buckets; send the photo itself as Image.Bytes")


class SerializationError(Fault):
    """The body is not the JSON object that the protocol has."""

    type = "SerializationException"


class UnknownOperation(Fault):
    """The target is of no service that is spoken here."""

    type = "UnknownOperationException"


class OperationNotOffered(Fault):
    """An operation of Rekognition that this service does not have."""

    type = "AccessDeniedException"


class NoFaceInImage(InvalidParameter):
    """A search by an image without a face; programs compare the text."""

    def __init__(self) -> None:
        super().__init__("There are no faces in the image. Should be at least 1.")


class NoFaceToCompare(InvalidParameter):
    """A comparison of images of which one has no face; programs compare the text."""

    def __init__(self) -> None:
        super().__init__("Request has invalid parameters")


class QuotaExceeded(Fault):
    """More of something than there may be."""

    type = "ServiceQuotaExceededException"


class InvalidPaginationToken(Fault):
    """The token is not one that a page of this list answered."""

    type = "InvalidPaginationTokenException"

    def __init__(self) -> None:
        super().__init__("NextToken is not one that a page of this list answered; leave it out")


class SignatureIncomplete(SignatureRefused):
    """The signature of a request lacks parts, or does not cover what it has to."""


class SignatureWrong(SignatureRefused):
    """The signature of a request is another than its secret makes, or of another time."""


class SignatureUnchecked(SignatureRefused):
    """The body of a signed request was not read yet, so its caller is not known."""

    def __init__(self) -> None:
        super().__init__("the signature of the request was not checked", key="missing")
