"""Deliveries of a webhook: the last attempts, and what waits."""

from app.api.deps import CallerDep, ServicesDep
from app.api.endpoint import Asked, Endpoints
from app.api.routes.webhooks import WebhookPath
from app.api.schemas.deliveries import DeliveriesAnswer, DeliveriesQuery, WaitingBody
from app.api.schemas.webhooks import AttemptBody
from app.gallery.keys.rights import Right
from app.runtime.threads import reading

router = Endpoints("/webhooks", tag="webhooks")


@router.endpoint("GET", "/{webhook_id}/deliveries", DeliveriesAnswer, right=Right.ADMIN)
async def list_deliveries(
    webhook_id: WebhookPath,
    services: ServicesDep,
    caller: CallerDep,
    query: Asked[DeliveriesQuery],
) -> DeliveriesAnswer:
    """List the last attempts of a webhook, and the events that wait for another one."""
    found = await reading(
        services.webhooks.kept.deliveries,
        webhook_id,
        limit=query.limit,
        within=caller.collections,
    )
    return DeliveriesAnswer(
        attempts=[AttemptBody.of(one) for one in found.attempts],
        waiting=[WaitingBody.of_event(one) for one in found.waiting],
    )
