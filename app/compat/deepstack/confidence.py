"""`min_confidence`, which means another thing in detection than in recognition."""

from math import isfinite

from app.compat.deepstack.calls import Call
from app.compat.deepstack.refusals import Refused

_NAME = "min_confidence"


def min_confidence(call: Call) -> float | None:
    """Return the least confidence that is asked for, 0 to 1; None where none is sent.

    Raises Refused.
    """
    sent = call.fields.get(_NAME, "").strip()
    if not sent:
        return None
    try:
        value = float(sent)
    except ValueError:
        raise Refused(f"Invalid value for {_NAME}") from None
    if not isfinite(value) or value < 0:
        raise Refused(f"Invalid value for {_NAME}")
    if value > 1:
        raise Refused(f"{_NAME} cannot be greater than 1")
    return value
