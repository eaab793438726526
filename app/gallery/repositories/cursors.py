"""Opaque page cursors: the row number that the last page ended at."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error

from app.errors import InvalidRequest

_MAX_NUMBER = 2**63 - 1


def encode_cursor(number: int) -> str:
    return urlsafe_b64encode(str(number).encode("ascii")).decode("ascii").rstrip("=")


def decode_cursor(cursor: str | None) -> int:
    """The number to continue after; 0 for the first page. Raises InvalidRequest."""
    if cursor is None:
        return 0
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        number = int(urlsafe_b64decode(padded))
    except (ValueError, Base64Error) as error:
        raise InvalidRequest("cursor is not one that a page answered; leave it out") from error
    if not 0 <= number <= _MAX_NUMBER:
        raise InvalidRequest("cursor is not one that a page answered; leave it out")
    return number
