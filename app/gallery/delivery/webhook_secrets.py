"""Secrets of webhooks: how they are made, and how they are kept.

A secret must be readable, as it signs. Where the service has a master key, it is sealed by it, for
its webhook; else it lies in the database as it is. No answer has it once it was shown.
"""

import secrets
from base64 import b64decode, b64encode

from app.errors import WebhookSecretSealed
from app.gallery.vault.master_key import MasterKey
from app.gallery.vault.sealing import SealedOtherwiseError
from app.gallery.vault.vault import Vault

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
    sealed = vault.master.wrap(secret.encode("ascii"), _context(webhook_id))
    return f"{_SEALED}:{vault.master.id}:{b64encode(sealed).decode('ascii')}"


def is_kept_well(vault: Vault, text: str) -> bool:
    """Return whether a secret is sealed by the master key of this moment, if there is one."""
    return not vault.is_on or text.startswith(f"{_SEALED}:{vault.master.id}:")


def opened(vault: Vault, webhook_id: str, text: str) -> str:
    """Return a secret that is kept. Raises WebhookSecretSealed."""
    if not text.startswith(f"{_SEALED}:"):
        return text
    _, master_id, sealed = text.split(":", 2)
    master = _master(vault, master_id)
    try:
        if master is not None:
            return master.unwrap(b64decode(sealed), _context(webhook_id)).decode("ascii")
    except (SealedOtherwiseError, ValueError) as error:
        raise _cannot_open(webhook_id) from error
    raise _cannot_open(webhook_id)


def _master(vault: Vault, master_id: str) -> MasterKey | None:
    if not vault.is_on:
        return None
    return next((one for one in vault.masters if one.id == master_id), None)


def _context(webhook_id: str) -> bytes:
    return f"webhook {webhook_id}".encode("ascii")


def _cannot_open(webhook_id: str) -> WebhookSecretSealed:
    return WebhookSecretSealed(
        f"the secret of webhook {webhook_id} does not open by the master keys of this service"
    )
