"""The audit log."""

from dataclasses import replace

from app.api.deps import CallerDep, ServicesDep
from app.api.endpoint import Asked, Endpoints
from app.api.schemas.audit import AuditPage, AuditQuery
from app.gallery.journal.chain import Line
from app.gallery.keys.rights import Right
from app.gallery.records import Page
from app.runtime.threads import reading

router = Endpoints(tag="system")


@router.endpoint("GET", "/audit", AuditPage, right=Right.AUDIT, large=True)
async def list_audit_lines(
    services: ServicesDep, caller: CallerDep, query: Asked[AuditQuery]
) -> Page[Line]:
    """List who changed or read what, newest first; by ids, without names.

    Lines are chained: `vultus audit verify` shows whether one is missing or was altered. The
    receipt of an erasure names its lines by `receipt_id`. A key that is limited to some collections
    sees lines of these alone.
    """
    wanted = replace(query.wanted(), among=caller.collections)
    return await reading(services.audit.page, wanted, limit=query.limit, cursor=query.cursor)
