"""What two writers may both find free."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError


@contextmanager
def unique(taken: Exception) -> Iterator[None]:
    """Two writers may pass the check for a free name at once; the constraint decides."""
    try:
        yield
    except IntegrityError as error:
        raise taken from error
