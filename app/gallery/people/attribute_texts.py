"""The form of attributes that filters look at: one text a value, exact and typed."""

from collections.abc import Mapping

MAX_KEY_LENGTH = 128
MAX_TEXT_LENGTH = 256
MAX_ATTRIBUTES_BYTES = 16_384
"""Most bytes of one person's attributes as JSON."""
_EXACT_FLOATS = 2**53  # above it, a float that is whole need not be the number that was meant


def filterable(attributes: Mapping[str, object]) -> dict[str, str]:
    """The values that filters can look at, as `encode` writes them, by key.

    Lists, objects, null, and what is too long are passed over: they are kept, but not looked at.
    """
    return {
        key: value
        for key, raw in attributes.items()
        if len(key) <= MAX_KEY_LENGTH and (value := encode(raw)) is not None
    }


def encode(value: object) -> str | None:
    """`s:text`, `n:number` or `b:true`; None for what filters do not look at.

    Numbers that are equal are written alike, 1 and 1.0; true and 1 are not equal, as in JSON.
    """
    if isinstance(value, bool):
        return "b:true" if value else "b:false"
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_FLOATS:
        value = int(value)
    if isinstance(value, int | float):
        text = f"n:{value!r}"
    elif isinstance(value, str):
        text = f"s:{value}"
    else:
        return None
    return text if len(text) <= MAX_TEXT_LENGTH + 2 else None


def reverse(encoded: str) -> str | None:
    """A string backwards, None for what is no string."""
    return encoded[:1:-1] if encoded.startswith("s:") else None
