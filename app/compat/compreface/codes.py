"""CompreFace's numbers of errors, as far as its clients meet them."""

from enum import IntEnum


class Code(IntEnum):
    """The `code` of an error's answer."""

    UNKNOWN = 0
    FIELD_MISSING = 5
    """A field of a JSON body is missing, null or an empty list."""
    KEY_UNKNOWN = 10
    KEY_MISSING = 20
    NOT_BASE64 = 21
    VALUE_REFUSED = 26
    """An option or a name is out of its bounds."""
    NO_FACE = 28
    SEVERAL_FACES = 31
    READ_ONLY = 32
    OPTION_MISSING = 33
    """An option of the query is missing."""
    PART_MISSING = 34
    """A part of a form is missing."""
    MALFORMED = 36
    """A name with forbidden characters; here also every other invalid request."""
    UNAVAILABLE = 41
    SUBJECT_NOT_FOUND = 42
    SUBJECT_EXISTS = 43
    FACE_NOT_FOUND = 44


NO_FACE_TEXT = "No face is found in the given image"
"""Programs compare it to the letter."""
SEVERAL_FACES_TEXT = "More than one face in the source image"
"""Programs compare it to the letter."""
