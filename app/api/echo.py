"""Texts of a caller, shortened so that an error can repeat them."""

_MOST = 64


def shortened(text: str, most: int = _MOST) -> str:
    """The text, or its beginning and its length in characters where it is longer than `most`."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text)} characters)"


def listed(names: list[str], most: int = 5) -> str:
    """The first names, each shortened, and how many more there are."""
    shown = ", ".join(shortened(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
