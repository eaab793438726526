"""`vultus webhooks`: events for other systems, without networks."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import typer
from rich.table import Column, Table

from app.api.schemas.webhooks import (
    AttemptBody,
    IssuedWebhookBody,
    NewWebhookBody,
    ReplayBody,
    RotateWebhookBody,
    WebhookBody,
    WebhookPage,
)
from app.cli.argument_check import checking_arguments
from app.cli.open_database import open_database
from app.cli.output import errors, print_line, show
from app.gallery.delivery.gallery_webhooks import GalleryWebhooks
from app.gallery.delivery.webhook_records import IssuedWebhook, Webhook, WebhookChanges
from app.services.delivery.webhooks.webhook_service import WebhookService

_NOT_TAKEN = 3


def add(
    url: str,
    name: str,
    collections: Sequence[str] | None,
    types: Sequence[str] | None,
    *,
    with_names: bool,
    as_json: bool,
) -> None:
    """Make a webhook and print its secret."""
    with checking_arguments():
        body = NewWebhookBody(
            name=name,
            url=url,
            collections=list(collections) if collections else None,
            types=list(types) if types else None,
            with_names=with_names,
        )
    with _webhooks() as webhooks:
        asyncio.run(webhooks.require_target(body.url))
        issued = webhooks.kept.add(body.new_webhook())
    _show_issued(issued, as_json=as_json)


def list_(*, as_json: bool) -> None:
    """List the webhooks."""
    with _webhooks() as webhooks:
        shown = [WebhookBody.now(one) for one in webhooks.kept.everything()]
    table = Table(
        Column("webhook", no_wrap=True), "name", "url", "state", "waits", "given up", "missed"
    )
    for one in shown:
        table.add_row(
            one.id,
            one.name,
            one.url,
            _state(one),
            str(one.waiting),
            str(one.dead_letters),
            str(one.missed),
        )
    show(WebhookPage(webhooks=shown, next_cursor=None), table, as_json=as_json)


def rotate(webhook_id: str, *, overlap_s: float, as_json: bool) -> None:
    """Give a webhook another secret and print it."""
    with checking_arguments():
        body = RotateWebhookBody(overlap_s=overlap_s)
    with _webhooks() as webhooks:
        issued = webhooks.kept.rotate(webhook_id, overlap_s=body.overlap_s)
    _show_issued(issued, as_json=as_json)


def switch(webhook_id: str, *, enabled: bool, as_json: bool) -> None:
    """Enable or disable a webhook."""
    with _webhooks() as webhooks:
        changed = webhooks.kept.change(webhook_id, WebhookChanges({}, enabled))
    done = "enabled" if enabled else "disabled"
    _show(changed, f"{done} webhook {changed.id} ({changed.name})", as_json=as_json)


def remove(webhook_id: str) -> None:
    """Remove a webhook."""
    with _webhooks() as webhooks:
        webhooks.kept.remove(webhook_id)
    print_line(f"removed webhook {webhook_id}")


def send_test(webhook_id: str, *, as_json: bool) -> None:
    """Send a test message, and print what was answered."""
    with _webhooks() as webhooks:
        attempt = asyncio.run(webhooks.test(webhook_id))
    what = "delivered" if attempt.error is None else f"not delivered: {attempt.error}"
    show(AttemptBody.of(attempt), f"{what}, after {attempt.seconds * 1000:.0f} ms", as_json=as_json)
    if attempt.error is not None:
        raise typer.Exit(_NOT_TAKEN)


def replay(webhook_id: str, *, after: int | None, dead_letter: int | None, as_json: bool) -> None:
    """Deliver events again."""
    with checking_arguments():
        body = ReplayBody(after=after, dead_letter=dead_letter)
    with _webhooks() as webhooks:
        kept = webhooks.kept
        if body.after is not None:
            replayed = kept.replay(webhook_id, after=body.after)
        else:
            assert body.dead_letter is not None
            replayed = kept.deliver_again(webhook_id, body.dead_letter)
    _show(
        replayed,
        f"webhook {replayed.id} delivers from position {replayed.state.position} on; "
        f"{replayed.waiting_count} events wait",
        as_json=as_json,
    )


@contextmanager
def _webhooks() -> Iterator[WebhookService]:
    with open_database(upgrade=True) as (settings, database):
        yield WebhookService(GalleryWebhooks(database), settings.webhooks)


def _show_issued(issued: IssuedWebhook, *, as_json: bool) -> None:
    if as_json:
        show(IssuedWebhookBody.of(issued), as_json=True)
        return
    print_line(f"webhook {issued.webhook.id} ({issued.webhook.name})", errors)
    print_line("its secret is shown this once; verify messages by it:", errors)
    print_line(issued.secret)


def _show(webhook: Webhook, text: str, *, as_json: bool) -> None:
    show(WebhookBody.now(webhook), text, as_json=as_json)


def _state(webhook: WebhookBody) -> str:
    if webhook.stopped_because is not None:
        return f"stopped ({webhook.stopped_because})"
    return "active" if webhook.failing_since is None else "failing"
