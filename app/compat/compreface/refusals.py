"""Requests that this dialect refuses by itself, in the words of CompreFace."""

from app.compat.compreface.codes import NO_FACE_TEXT, SEVERAL_FACES_TEXT, Code
from app.errors import InvalidRequest


class Refused(InvalidRequest):
    """A request that is answered by `status`, and by `message` and `number` as they are."""

    def __init__(self, status: int, number: Code, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.number = number
        self.message = message


def out_of_bounds(message: str) -> Refused:
    """Refuse an option or a name that is out of its bounds."""
    return Refused(400, Code.VALUE_REFUSED, message)


def malformed(message: str) -> Refused:
    """Refuse what cannot be read as what it should be."""
    return Refused(400, Code.MALFORMED, message)


def option_missing(name: str) -> Refused:
    return Refused(400, Code.OPTION_MISSING, f"Required parameter {name} is missing")


def part_missing(name: str) -> Refused:
    return Refused(400, Code.PART_MISSING, f"Required part {name} is missing")


def field_missing(name: str) -> Refused:
    return Refused(400, Code.FIELD_MISSING, f"Required field {name} is missing, null or empty")


def no_face() -> Refused:
    return Refused(400, Code.NO_FACE, NO_FACE_TEXT)


def several_faces() -> Refused:
    return Refused(400, Code.SEVERAL_FACES, SEVERAL_FACES_TEXT)


def subject_not_found(name: str) -> Refused:
    return Refused(404, Code.SUBJECT_NOT_FOUND, f"Subject {name} not found")


def subject_exists() -> Refused:
    return Refused(400, Code.SUBJECT_EXISTS, "Subject already exists")


def face_not_found(image_id: str) -> Refused:
    return Refused(404, Code.FACE_NOT_FOUND, f"Image {image_id} not found")
