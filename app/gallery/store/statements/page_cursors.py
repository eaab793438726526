"""Opaque page cursors: the row number that the last page ended at."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from app.errors import InvalidRequest
from app.gallery.store.tables import UnknownGroupTable
from app.gallery.unknowns.unknown_records import GroupOrder

_MAX_NUMBER = 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_NO_CURSOR = "cursor is not one that a page of this order answered; leave it out"


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


def encode_group_cursor(order: GroupOrder, group: UnknownGroupTable) -> str:
    key = (
        round((group.last_seen_at - _EPOCH) / _TICK)
        if order is GroupOrder.NEWEST
        else group.seen_count
    )
    text = f"{order}:{key}:{group.number}"
    return urlsafe_b64encode(text.encode("ascii")).decode("ascii").rstrip("=")


def decode_group_cursor(order: GroupOrder, cursor: str | None) -> tuple[int | datetime, int] | None:
    """The place after which a list continues; None for the first page. Raises InvalidRequest."""
    if cursor is None:
        return None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        written, key, number = urlsafe_b64decode(padded).decode("ascii").split(":")
        value = _EPOCH + int(key) * _TICK if order is GroupOrder.NEWEST else int(key)
        place = int(number)
    except (ValueError, OverflowError, Base64Error) as error:
        raise InvalidRequest(_NO_CURSOR) from error
    if written != order or not 0 <= place <= _MAX_NUMBER or abs(int(key)) > _MAX_NUMBER:
        raise InvalidRequest(_NO_CURSOR)
    return value, place


def next_cursor(numbers: Sequence[int], limit: int) -> str | None:
    """Cursor after the first `limit` of the rows, if there are more."""
    return encode_cursor(numbers[limit - 1]) if len(numbers) > limit else None
