"""Photos that are named on the command line, and what decides a match between them."""

from pathlib import Path

import typer

from app.errors import ImageUnreadable


def read_photo(path: Path) -> bytes:
    """Read a file. Raises ImageUnreadable."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ImageUnreadable(f"{path} cannot be read ({error.strerror})") from error


def require_one_at_most(threshold: float | None, target: float | None, *, rate: str) -> None:
    """Refuse a similarity together with an error rate, since both decide the threshold."""
    if threshold is not None and target is not None:
        raise typer.BadParameter(f"give either --threshold or {rate}")
