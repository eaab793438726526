"""Secrets of webhooks: how they are made, and how they are kept.

A secret must be readable, as it signs. Where the service has a master key, it is sealed by it, for
its webhook; else it lies in the database as it is. No answer has it once it was shown.
"""

import secrets
from base64 import b64encode

from app.errors import WebhookSecretSealed
from app.gallery.vault.sealing import SealedOtherwiseError
from app.gallery.vault.vault import Vault
from app.gallery.vault.wrapped_texts import is_by_master, unwrapped_text, wrapped_text

_RANDOM_BYTES = 32
_PREFIX = "whsec_"
_SEALED = "sealed"


def new_secret() -> str:
    """Return a secret in the form of Standard Webhooks: 256 random bits."""
    return _PREFIX + b64encode(secrets.token_bytes(_RANDOM_BYTES)).decode("ascii")


def kept_text(vault: Vault, webhook_id: str, secret: str) -> str:
    """Return the secret as it is kept."""
    if not vault.is_on:
        return secret
    return wrapped_text(vault, _SEALED, secret, _context(webhook_id))


def is_kept_well(vault: Vault, text: str) -> bool:
    """Return whether a secret is sealed by the master key of this moment, if there is one."""
    return is_by_master(vault, _SEALED, text)


def opened(vault: Vault, webhook_id: str, text: str) -> str:
    """Return a secret that is kept. Raises WebhookSecretSealed."""
    if not text.startswith(f"{_SEALED}:"):
        return text
    try:
        return unwrapped_text(vault, text, _context(webhook_id))
    except (SealedOtherwiseError, ValueError) as error:
        raise _cannot_open(webhook_id) from error


def _context(webhook_id: str) -> bytes:
    return f"webhook {webhook_id}".encode("ascii")


def _cannot_open(webhook_id: str) -> WebhookSecretSealed:
    return WebhookSecretSealed(
        f"the secret of webhook {webhook_id} does not open by the master keys of this service"
    )
