"""Photo files that were once answered wrongly; made of photos that packages ship."""

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent


@cache
def case(name: str) -> bytes:
    """The bytes of a file here."""
    return (_FOLDER / name).read_bytes()
