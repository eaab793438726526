"""Many photos in one request, each with a result or an error of its own."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from app.errors import ImageTooLarge, ImageUnreadable, Overloaded
from app.runtime.gather import in_turns

T = TypeVar("T")

PhotoError = ImageUnreadable | ImageTooLarge | Overloaded
"""Errors of one photo of a request; any other error is that of the request."""


async def each_photo(
    images: Sequence[bytes], do: Callable[[bytes], Awaitable[T]], *, concurrency: int
) -> list[T | PhotoError]:
    """Return the result of `do` for each photo, or its error, in the order sent.

    `concurrency` photos are worked on at a time. Raises Overloaded when all photos were refused by
    it, and the other errors of `do`.
    """

    async def one(image: bytes) -> T | PhotoError:
        try:
            return await do(image)
        except (ImageUnreadable, ImageTooLarge, Overloaded) as error:
            return error

    results = await in_turns(images, one, at_once=concurrency)
    overloaded = [result for result in results if isinstance(result, Overloaded)]
    if overloaded and len(overloaded) == len(results):
        raise overloaded[0]
    return results
