"""Records of API keys."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.gallery.keys.aws_pair import AwsPair
from app.gallery.keys.rights import Right, Role


class KeyState(StrEnum):
    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a key is made with. `collections` None: all, also those that are created later."""

    name: str
    role: Role
    rights: tuple[Right, ...]
    collections: tuple[str, ...] | None = None
    expires_at: datetime | None = None
    requests_per_min: float | None = None
    """None: the limit of the settings."""
    with_pair: bool = False
    """Whether it has a pair that signs requests as AWS's SDKs do."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept: never its text, of which `sha256` is the digest."""

    number: int
    id: str
    name: str
    role: Role
    rights: tuple[Right, ...]
    collections: tuple[str, ...] | None
    sha256: str
    prefix: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    successor_id: str | None
    """The key that replaces it."""
    requests_per_min: float | None = None
    aws_access_key_id: str | None = None
    aws_secret_sealed: str | None = field(default=None, repr=False)
    """See `pair_secrets.py`."""

    def state(self, now: datetime) -> KeyState:
        if self.revoked_at is not None:
            return KeyState.REVOKED
        if self.expires_at is not None and self.expires_at <= now:
            return KeyState.EXPIRED
        return KeyState.ACTIVE

    def is_within(self, collections: Sequence[str] | None) -> bool:
        """Return whether the key may act in these collections alone; None: all collections."""
        if collections is None:
            return True
        return self.collections is not None and set(self.collections) <= set(collections)


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key with its text, which is shown this once."""

    key: ApiKey
    text: str = field(repr=False)
    pair: AwsPair | None = None
