"""The audit log."""

from dataclasses import replace

from fastapi import Request
from fastapi.responses import StreamingResponse

from app.api.audit_lines import export_of
from app.api.bodies.media_types import accepts_json_lines
from app.api.deps import CallerDep, ServicesDep
from app.api.endpoint import Asked, Endpoints
from app.api.schemas.audit import AuditPage, AuditQuery
from app.gallery.journal.chain import Line
from app.gallery.keys.rights import Right
from app.gallery.records import Page
from app.runtime.threads import reading

router = Endpoints(tag="system")


@router.endpoint("GET", "/audit", AuditPage, right=Right.AUDIT, large=True, or_lines=True)
async def list_audit_lines(
    request: Request, services: ServicesDep, caller: CallerDep, query: Asked[AuditQuery]
) -> Page[Line] | StreamingResponse:
    """List who changed or read what, newest first; by ids, without names.

    Lines are chained: `vultus audit verify` shows whether one is missing or was altered. The
    receipt of an erasure names its lines by `receipt_id`. A key that is limited to some collections
    sees lines of these alone.

    As JSON Lines (`format=jsonl`, or `Accept: application/x-ndjson`), all lines are answered,
    whatever `limit` is. Without a condition, the ends of the chains are signed before, so that
    `vultus audit verify FILE --public-key PEM` checks the answer without the database.
    """
    wanted = replace(query.wanted(), among=caller.collections)
    accepts_lines = accepts_json_lines(request.headers.get("accept"))
    if query.format == "jsonl" or (query.format is None and accepts_lines):
        return await export_of(services, wanted)
    return await reading(services.audit.page, wanted, limit=query.limit, cursor=query.cursor)
