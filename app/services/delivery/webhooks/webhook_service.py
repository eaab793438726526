"""What users do with webhooks, of which the address is checked first."""

from datetime import UTC, datetime
from time import monotonic
from typing import TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

from app.errors import WebhookTargetRefused
from app.gallery.delivery.delivery_records import Attempt
from app.gallery.delivery.gallery_webhooks import GalleryWebhooks, Within
from app.services.delivery.blocking_calls import blocking
from app.services.delivery.webhooks.checked_network import (
    AddressRefusedError,
    Resolve,
    permitted_addresses,
    resolve_by_system,
)
from app.services.delivery.webhooks.permitted_targets import PermittedTargets
from app.services.delivery.webhooks.webhook_message import TEST, message_of_test
from app.services.delivery.webhooks.webhook_sender import WebhookSender
from app.settings import WebhookSettings

T = TypeVar("T")


class WebhookService:
    """Adds, changes and tests webhooks. `kept` has the rest, which needs no network."""

    def __init__(
        self,
        kept: GalleryWebhooks,
        settings: WebhookSettings,
        *,
        resolve: Resolve = resolve_by_system,
    ) -> None:
        self.kept = kept
        self._settings = settings
        self._permitted = PermittedTargets.of(settings)
        self._resolve = resolve

    async def require_target(self, url: str) -> None:
        """Raise WebhookTargetRefused unless a webhook may be sent there."""
        self._permitted.require_url(url)
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        try:
            await permitted_addresses(self._permitted, host, port, self._resolve)
        except AddressRefusedError as error:
            raise WebhookTargetRefused(str(error)) from error
        except (OSError, UnicodeError) as error:
            raise WebhookTargetRefused(f"the name {host!r} has no address") from error

    async def test(self, webhook_id: str, *, within: Within = None) -> Attempt:
        """Send a message that says it is a test. Raises WebhookNotFound, WebhookSecretSealed."""
        webhook = await blocking(self.kept.get, webhook_id, within=within)
        secrets = await blocking(self.kept.secrets, webhook_id)
        sender = WebhookSender(
            self._permitted, timeout_s=self._settings.timeout_s, resolve=self._resolve
        )
        message_id, at, began = f"test-{uuid4().hex}", datetime.now(UTC), monotonic()
        try:
            outcome = await sender.send(
                webhook.url, message_id, message_of_test(webhook_id), secrets
            )
        finally:
            await sender.close()
        attempt = Attempt(
            message_id, TEST, at, monotonic() - began, outcome.status, _short(outcome.error)
        )
        await blocking(self.kept.note_test, webhook_id, attempt)
        return attempt


def _short(error: str | None) -> str | None:
    return None if error is None else error[:256]
