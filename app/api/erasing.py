"""Deletions, which may also overwrite what files still hold of what is deleted."""

from collections.abc import Callable
from typing import TypeVar

from app.api.schemas.parts.erasure import ErasureQuery
from app.runtime.threads import threads, work_of_erasure

ReceiptT = TypeVar("ReceiptT")


async def erase(
    query: ErasureQuery, delete: Callable[..., ReceiptT], *what: str, **options: bool
) -> ReceiptT:
    """Call `delete` in a thread of the kind that fits: compacting takes long."""
    work = work_of_erasure(compact=query.compact)
    return await threads().run(work, delete, *what, compact=query.compact, **options)
