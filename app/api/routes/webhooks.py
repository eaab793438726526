"""Webhooks: events, sent to other systems."""

from typing import Annotated

from fastapi import Path

from app.api.deps import BEFORE_COLON, CallerDep, ServicesDep
from app.api.endpoint import Asked, Endpoints, Sent
from app.api.schemas.parts.field_types import RecordId
from app.api.schemas.parts.pages import PageQuery
from app.api.schemas.webhooks import (
    AttemptBody,
    IssuedWebhookBody,
    NewWebhookBody,
    ReplayBody,
    RotateWebhookBody,
    WebhookBody,
    WebhookChangesBody,
    WebhookPage,
)
from app.gallery.delivery.delivery_records import Attempt
from app.gallery.delivery.webhook_records import IssuedWebhook
from app.gallery.keys.rights import Right
from app.runtime.threads import reading, writing

WebhookPath = Annotated[RecordId, Path()]
_WEBHOOK = f"/{{webhook_id:{BEFORE_COLON}}}"
# Events are read by who may read people.
_RIGHTS = {"url": Right.READ}

router = Endpoints("/webhooks", tag="webhooks")


@router.endpoint(
    "POST",
    "",
    IssuedWebhookBody,
    right=Right.ADMIN,
    rights_by_field=_RIGHTS,
    status=201,
    problems=[409],
)
async def create_webhook(
    body: Sent[NewWebhookBody], services: ServicesDep, caller: CallerDep
) -> IssuedWebhook:
    """Make a webhook, which gets what happens from now on. Its secret is in this answer alone.

    Messages are signed by the scheme of standardwebhooks.com. A key of some collections makes
    webhooks of these alone.
    """
    new = body.new_webhook()
    caller.require_to_grant((), new.collections)
    await services.webhooks.require_target(new.url)
    return await writing(services.webhooks.kept.add, new)


@router.endpoint("GET", "", WebhookPage, right=Right.ADMIN)
async def list_webhooks(
    services: ServicesDep, caller: CallerDep, query: Asked[PageQuery]
) -> WebhookPage:
    """List webhooks, oldest first: what they get, and how far they are."""
    page = await reading(
        services.webhooks.kept.page,
        limit=query.limit,
        cursor=query.cursor,
        within=caller.collections,
    )
    return WebhookPage(
        webhooks=[WebhookBody.now(one) for one in page.items], next_cursor=page.next_cursor
    )


@router.endpoint("GET", _WEBHOOK, WebhookBody, right=Right.ADMIN)
async def get_webhook(
    webhook_id: WebhookPath, services: ServicesDep, caller: CallerDep
) -> WebhookBody:
    """Return a webhook: what it gets, and how far it is."""
    kept = services.webhooks.kept
    return WebhookBody.now(await reading(kept.get, webhook_id, within=caller.collections))


@router.endpoint(
    "PATCH",
    _WEBHOOK,
    WebhookBody,
    right=Right.ADMIN,
    rights_by_field={**_RIGHTS, "enabled": Right.READ, "with_names": Right.READ},
)
async def update_webhook(
    webhook_id: WebhookPath,
    body: Sent[WebhookChangesBody],
    services: ServicesDep,
    caller: CallerDep,
) -> WebhookBody:
    """Change, stop or enable a webhook. One that is enabled goes on where it was stopped."""
    changes = body.changes()
    if "collections" in changes.values:
        caller.require_to_grant((), body.collections)
    if body.url is not None:
        await services.webhooks.require_target(body.url)
    changed = await writing(
        services.webhooks.kept.change, webhook_id, changes, within=caller.collections
    )
    return WebhookBody.now(changed)


@router.endpoint("DELETE", _WEBHOOK, None, right=Right.ADMIN, status=204)
async def delete_webhook(webhook_id: WebhookPath, services: ServicesDep, caller: CallerDep) -> None:
    """Delete a webhook, with all that waits for it."""
    await writing(services.webhooks.kept.remove, webhook_id, within=caller.collections)


@router.endpoint("POST", f"{_WEBHOOK}:rotate", IssuedWebhookBody, right=Right.ADMIN, status=201)
async def rotate_webhook(
    webhook_id: WebhookPath,
    body: Sent[RotateWebhookBody],
    services: ServicesDep,
    caller: CallerDep,
) -> IssuedWebhook:
    """Give a webhook another secret; the former one signs as well for a while.

    Messages then have two signatures, so that receivers can change over without a gap.
    """
    return await writing(
        services.webhooks.kept.rotate,
        webhook_id,
        overlap_s=body.overlap_s,
        within=caller.collections,
    )


@router.endpoint("POST", f"{_WEBHOOK}:test", AttemptBody, right=Right.ADMIN, problems=[409])
async def test_webhook(
    webhook_id: WebhookPath, services: ServicesDep, caller: CallerDep
) -> Attempt:
    """Send a message of the type `webhook.test`, and return what was answered.

    It is sent once, also by a webhook that is stopped.
    """
    return await services.webhooks.test(webhook_id, within=caller.collections)


@router.endpoint(
    "POST",
    f"{_WEBHOOK}:replay",
    WebhookBody,
    right=Right.ADMIN,
    rights_by_field={"after": Right.READ},
)
async def replay_webhook(
    webhook_id: WebhookPath,
    body: Sent[ReplayBody],
    services: ServicesDep,
    caller: CallerDep,
) -> WebhookBody:
    """Deliver events again: all above a position, or one that was given up.

    The same event has the same `webhook-id`. 404 `event_not_kept` for a position above the newest
    event, or an event that was not given up.
    """
    kept, within = services.webhooks.kept, caller.collections
    if body.after is not None:
        replayed = await writing(kept.replay, webhook_id, after=body.after, within=within)
    else:
        assert body.dead_letter is not None
        replayed = await writing(kept.deliver_again, webhook_id, body.dead_letter, within=within)
    return WebhookBody.now(replayed)
