"""Webhooks as targets of events."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from app.errors import Unavailable
from app.gallery.delivery.gallery_webhooks import GalleryWebhooks
from app.gallery.delivery.webhook_records import Secrets, Webhook
from app.gallery.journal.actions import Action
from app.gallery.journal.event_records import Event
from app.gallery.journal.reads import ReadLog
from app.observe.acting import Actor, acting
from app.services.delivery.blocking_calls import blocking
from app.services.delivery.event_target import DeliveryRules, Outcome
from app.services.delivery.webhooks.permitted_targets import PermittedTargets
from app.services.delivery.webhooks.webhook_message import (
    FindIdentity,
    find_or_none,
    message_of,
)
from app.services.delivery.webhooks.webhook_sender import WebhookSender
from app.settings import WebhookSettings

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """A webhook, as it is at this moment."""

    webhook: Webhook
    secrets: Secrets
    source: "WebhookSource"

    @property
    def name(self) -> str:
        return self.webhook.id

    @property
    def types(self) -> Sequence[str] | None:
        return self.webhook.types

    @property
    def collections(self) -> Sequence[str] | None:
        return self.webhook.collections

    @property
    def rules(self) -> DeliveryRules:
        return self.source.rules

    async def deliver(self, event: Event) -> Outcome:
        body = await self.source.body_of(event, self.webhook)
        return await self.source.sender.send(self.webhook.url, event.id, body, self.secrets)


class WebhookSource:
    """The webhooks of a database."""

    def __init__(
        self,
        webhooks: GalleryWebhooks,
        settings: WebhookSettings,
        find: FindIdentity,
        reads: ReadLog,
    ) -> None:
        self._webhooks = webhooks
        self._settings = settings
        self._find = find
        self._reads = reads
        self._sender: WebhookSender | None = None
        self._are_sealed = False
        rules = DeliveryRules(first_retry_s=settings.first_retry_s, give_up_s=settings.give_up_s)
        self.rules = replace(rules, most_retry_s=max(rules.most_retry_s, rules.first_retry_s))

    @property
    def sender(self) -> WebhookSender:
        """Return what sends; it belongs to the event loop that asks first."""
        if self._sender is None:
            permitted = PermittedTargets.of(self._settings)
            self._sender = WebhookSender(permitted, timeout_s=self._settings.timeout_s)
        return self._sender

    def targets(self) -> list[WebhookTarget]:
        self._seal_secrets()
        return [
            WebhookTarget(webhook, secrets, self) for webhook, secrets in self._webhooks.signing()
        ]

    async def body_of(self, event: Event, webhook: Webhook) -> str:
        """Return the message, with the person's name where the webhook is one with names."""
        if not webhook.with_names:
            return message_of(event, None)
        identity = await blocking(find_or_none, self._find, event)
        if identity is not None:
            with acting(Actor(f"webhook {webhook.id}")):
                self._reads.note(Action.IDENTITY_READ, event.collection, [identity.id])
        return message_of(event, identity)

    async def close(self) -> None:
        if self._sender is not None:
            await self._sender.close()

    def _seal_secrets(self) -> None:
        """Once: the master key may be new, or another one than before."""
        if self._are_sealed:
            return
        try:
            sealed = self._webhooks.seal_secrets()
        except Unavailable:
            return
        if sealed.count:
            _log.info("webhook_secrets_sealed", webhooks=sealed.count)
        self._are_sealed = True
