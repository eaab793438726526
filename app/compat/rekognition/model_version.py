"""The network of a collection as clients read it: a number that only the same weights have."""

_DIGITS = 8


def model_version(digest: str) -> str:
    """Return a version of digits and a point, from the SHA-256 of a network's weights."""
    return f"1.{int(digest[:_DIGITS], 16)}"
