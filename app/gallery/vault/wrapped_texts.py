"""Secrets that the service must read again, in columns of text: wrapped by the master key.

Their form is `PREFIX:ID:TEXT`, with the id of the master key and the wrapped secret in base64.
"""

from base64 import b64decode, b64encode
from dataclasses import dataclass

from app.gallery.vault.sealing import SealedOtherwiseError
from app.gallery.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class WrappedAnew:
    """How many secrets were wrapped by the master key of this moment, and the ids of those to whom
    secrets belong that did not open."""

    count: int
    unreadable: tuple[str, ...]


def wrapped_text(vault: Vault, prefix: str, secret: str, context: bytes) -> str:
    """Wrap a secret by the master key, which the settings must name."""
    wrapped = vault.master.wrap(secret.encode("ascii"), context)
    return f"{prefix}:{vault.master.id}:{as_text(wrapped)}"


def is_by_master(vault: Vault, prefix: str, text: str) -> bool:
    """Return whether a secret is wrapped by the master key of this moment, if there is one."""
    return not vault.is_on or text.startswith(f"{prefix}:{vault.master.id}:")


def unwrapped_text(vault: Vault, text: str, context: bytes) -> str:
    """Return a secret that was wrapped by a master key of the settings.

    Raises SealedOtherwiseError, and ValueError for a text of another form.
    """
    _, master_id, wrapped = text.split(":", 2)
    for master in vault.masters if vault.is_on else ():
        if master.id == master_id:
            return master.unwrap(b64decode(wrapped), context).decode("ascii")
    raise SealedOtherwiseError("no master key of the settings wrapped it")


def as_text(sealed: bytes) -> str:
    return b64encode(sealed).decode("ascii")
