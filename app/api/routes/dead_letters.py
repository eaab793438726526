"""Dead letters of a webhook: events that were given up."""

from app.api.deps import CallerDep, ServicesDep
from app.api.endpoint import Asked, Endpoints
from app.api.routes.webhooks import WebhookPath
from app.api.schemas.dead_letters import DeadLetterPage
from app.api.schemas.deliveries import WaitingBody
from app.api.schemas.parts.pages import PageQuery
from app.gallery.keys.rights import Right
from app.runtime.threads import reading

router = Endpoints("/webhooks", tag="webhooks")


@router.endpoint("GET", "/{webhook_id}/dead_letters", DeadLetterPage, right=Right.ADMIN)
async def list_dead_letters(
    webhook_id: WebhookPath,
    services: ServicesDep,
    caller: CallerDep,
    query: Asked[PageQuery],
) -> DeadLetterPage:
    """List the events of a webhook that were given up, oldest first.

    They are kept as long as the audit log keeps their lines. `:replay` tries them again.
    """
    page = await reading(
        services.webhooks.kept.dead,
        webhook_id,
        limit=query.limit,
        cursor=query.cursor,
        within=caller.collections,
    )
    return DeadLetterPage(
        dead_letters=[WaitingBody.of_event(one) for one in page.items],
        next_cursor=page.next_cursor,
    )
