"""Pages of lists: `MaxResults` and `NextToken`."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.compat.rekognition.faults import InvalidPaginationToken
from app.errors import InvalidRequest


@contextmanager
def pages_of(max_results: int | None, most: int) -> Iterator[int]:
    """Read a page in the block: yield how many items it may have.

    0 and none are as many as there may be. Raises InvalidPaginationToken for a cursor that no page
    answered.
    """
    try:
        yield max_results or most
    except InvalidRequest as error:
        raise InvalidPaginationToken from error
