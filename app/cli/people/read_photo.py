"""Photos that are named on the command line."""

from pathlib import Path

from app.errors import ImageUnreadable


def read_photo(path: Path) -> bytes:
    """The bytes of a file. Raises ImageUnreadable."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ImageUnreadable(f"{path} cannot be read ({error.strerror})") from error
