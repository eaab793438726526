"""The audit log as JSON Lines, streamed a page at a time."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import structlog
from fastapi.responses import StreamingResponse

from app.api.bodies.media_types import JSON_LINES
from app.errors import StartupError
from app.gallery.journal.actions import Action
from app.gallery.journal.chain import Line, line_document
from app.gallery.store.repositories.audit_repository import LineFilter
from app.observe.plain_text import plain_json
from app.runtime.threads import reading, writing
from app.services import Services

_LINES_AT_ONCE = 1_000
_NAME = "audit.jsonl"

_log = structlog.get_logger(__name__)


async def export_of(services: Services, wanted: LineFilter) -> StreamingResponse:
    """Answer all lines that are wanted, newest first, from a state that is signed if it is all.

    What fails once the answer has begun breaks the connection, so that no export looks complete
    that is not.
    """
    services.reads.note(Action.AUDIT_READ, wanted.collection, always=True, format="jsonl")
    if wanted == LineFilter():
        try:
            await writing(services.signer.sign)
        except StartupError as error:  # the key cannot be read: lines are still worth having
            _log.error("audit_not_signed", cause=str(error))
    headers = {"content-disposition": f'attachment; filename="{_NAME}"'}
    first = await reading(services.audit.page, wanted, limit=_LINES_AT_ONCE, cursor=None)

    async def texts() -> AsyncIterator[str]:
        page = first
        while True:
            yield await asyncio.to_thread(_text_of, page.items)
            if page.next_cursor is None:
                return
            page = await reading(
                services.audit.page, wanted, limit=_LINES_AT_ONCE, cursor=page.next_cursor
            )

    return StreamingResponse(texts(), media_type=JSON_LINES, headers=headers)


def _text_of(lines: Sequence[Line]) -> str:
    return "".join(plain_json(line_document(line)) + "\n" for line in lines)
