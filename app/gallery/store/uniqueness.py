"""Names that two writers may both find free."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError


@contextmanager
def unique(taken: Exception) -> Iterator[None]:
    """Raise `taken` when the database finds a name taken: two writers may have found it free."""
    try:
        yield
    except IntegrityError as error:
        raise taken from error
