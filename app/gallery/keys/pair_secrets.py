"""The secrets of pairs that sign requests as AWS's SDKs do: how they are kept.

Unlike the text of a key, of which a digest is enough, the secret of a pair must be readable, as the
service computes the same signature by it. It is sealed by the master key where the service has one
(docs/encryption.md), else by `keys.key` of the data folder: a dump of the database has it not.
"""

from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from app.errors import KeySecretSealed
from app.gallery.keys.aws_pair import AwsPair
from app.gallery.keys.key_records import ApiKey
from app.gallery.store.key_files import key_of
from app.gallery.vault.sealing import KeySealer, SealedOtherwiseError, subkey
from app.gallery.vault.vault import Vault
from app.gallery.vault.wrapped_texts import (
    as_text,
    is_by_master,
    unwrapped_text,
    wrapped_text,
)

_BY_FILE, _BY_MASTER = "file", "master"
_SETTING = "VULTUS_KEYS_KEY"
_FILE = "keys.key"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What checks a signature: the secret of a pair, and the API key that it belongs to.

    The key may be revoked or have expired: see `ApiKey.state`. The caller compares signatures in
    constant time.
    """

    key: ApiKey
    secret: str = field(repr=False)


class PairSecrets:
    """Seals and opens the secrets of pairs, each for its access key id."""

    def __init__(self, vault: Vault, load_key: Callable[[], bytes]) -> None:
        """`load_key` returns 32 bytes; it is called when one is needed first, and may raise
        StartupError."""
        self._vault = vault
        self._load_key = load_key

    @cached_property
    def _of_file(self) -> KeySealer:
        return KeySealer(subkey(self._load_key(), "secrets of pairs"))

    def sealed(self, pair: AwsPair) -> str:
        """Return the secret as it is kept."""
        secret, context = pair.secret_access_key.encode("ascii"), _context(pair.access_key_id)
        if self._vault.is_on:
            return wrapped_text(self._vault, _BY_MASTER, pair.secret_access_key, context)
        return f"{_BY_FILE}::{as_text(self._of_file.seal(secret, context))}"

    def is_kept_well(self, kept: str) -> bool:
        """Return whether a secret is sealed by the master key of this moment, if there is one."""
        return is_by_master(self._vault, _BY_MASTER, kept)

    def opened(self, access_key_id: str, kept: str) -> str:
        """Return the secret. Raises KeySecretSealed."""
        context = _context(access_key_id)
        try:
            by, _, text = kept.split(":", 2)
            if by == _BY_FILE:
                return self._of_file.open(b64decode(text), context).decode("ascii")
            return unwrapped_text(self._vault, kept, context)
        except (SealedOtherwiseError, ValueError) as error:
            raise _cannot_open(access_key_id) from error


def pair_secrets(vault: Vault, setting: str | None, folder: Path) -> PairSecrets:
    """Return what seals by the vault's master key, else by a key of a setting or of the folder."""
    what = "secrets of API keys"
    return PairSecrets(vault, lambda: key_of(setting, folder / _FILE, name=_SETTING, what=what))


def _context(access_key_id: str) -> bytes:
    return f"secret of {access_key_id}".encode("ascii")


def _cannot_open(access_key_id: str) -> KeySecretSealed:
    return KeySecretSealed(
        f"the secret of the pair {access_key_id} does not open by the keys of this service"
    )
