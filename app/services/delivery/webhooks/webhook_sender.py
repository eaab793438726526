"""Send a signed message over HTTP, and judge the answer."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite

import httpcore2
from standardwebhooks.webhooks import Webhook as Signer

from app import __version__
from app.gallery.delivery.webhook_records import Secrets
from app.services.delivery.event_target import Outcome
from app.services.delivery.webhooks.checked_network import (
    AddressRefusedError,
    CheckedNetwork,
    Resolve,
    resolve_by_system,
)
from app.services.delivery.webhooks.permitted_targets import PermittedTargets

_MOST_ANSWER_BYTES = 65_536
"""More of an answer is not read."""
_MOST_CONNECTIONS = 64
_ASKS_FOR_A_PAUSE = (429, 503)


class WebhookSender:
    """Sends from one event loop. Knows no proxies, cookies or redirects."""

    def __init__(
        self,
        permitted: PermittedTargets,
        *,
        timeout_s: float,
        resolve: Resolve = resolve_by_system,
    ) -> None:
        self._permitted = permitted
        self._timeout_s = timeout_s
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=httpcore2.default_ssl_context(),
            max_connections=_MOST_CONNECTIONS,
            # A connection for each message: on one that is used again, an answer that came twice
            # would count for the next message, too, which may never have arrived.
            max_keepalive_connections=0,
            network_backend=CheckedNetwork(permitted, resolve),
        )

    async def send(self, url: str, message_id: str, body: str, secrets: Secrets) -> Outcome:
        """Send a message once. It is delivered when the answer has a status of 200 to 299, in
        time; the rest of the answer does not matter."""
        try:
            async with asyncio.timeout(self._timeout_s):
                # Settings may be others than when the webhook was made.
                self._permitted.require_url(url)
                return await self._answer(url, body, _headers(message_id, body, secrets))
        except TimeoutError:
            return Outcome(f"no answer within {self._timeout_s:g} s")
        except AddressRefusedError as error:
            return Outcome(f"not permitted: {error}")
        except (OSError, httpcore2.NetworkError, httpcore2.TimeoutException) as error:
            return Outcome(f"no connection: {_cause(error)}")
        except (httpcore2.ProtocolError, httpcore2.UnsupportedProtocol) as error:
            return Outcome(f"no HTTP: {_cause(error)}")

    async def close(self) -> None:
        await self._pool.aclose()

    async def _answer(self, url: str, body: str, headers: Mapping[str, str]) -> Outcome:
        request = self._pool.stream(
            "POST", url, headers=list(headers.items()), content=body.encode("utf-8")
        )
        async with request as answer:
            outcome = _judge(answer)
            read = 0
            # Read, as a receiver may take it for a fault when the connection ends before.
            async with aclosing(answer.aiter_stream()) as parts:
                async for part in parts:
                    read += len(part)
                    if read > _MOST_ANSWER_BYTES:
                        break
        return outcome


def _headers(message_id: str, body: str, secrets: Secrets) -> dict[str, str]:
    now = datetime.now(UTC)
    signatures = [
        Signer(secret).sign(message_id, now, body)
        for secret in (secrets.current, secrets.former)
        if secret is not None
    ]
    return {
        "content-type": "application/json",
        "connection": "close",
        "user-agent": f"Vultus/{__version__}",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _judge(answer: httpcore2.Response) -> Outcome:
    status = answer.status
    if 200 <= status < 300:
        return Outcome(status=status)
    text = f"answered {status}"
    if 300 <= status < 400:
        text += "; redirects are not followed"
    return Outcome(
        text,
        status,
        retry_after_s=_retry_after_s(answer) if status in _ASKS_FOR_A_PAUSE else None,
        is_gone=status == 410,
    )


def _retry_after_s(answer: httpcore2.Response) -> float | None:
    """Seconds of the header `Retry-After`, which names seconds or a date (RFC 9110, 10.2.3)."""
    values = [value for name, value in answer.headers if name.lower() == b"retry-after"]
    if not values:
        return None
    text = values[0].decode("latin-1").strip()
    try:
        if text.isascii() and text.isdigit():
            seconds = float(text)
        else:
            seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, seconds) if isfinite(seconds) else None


def _cause(error: BaseException) -> str:
    return str(error) or type(error).__name__
