"""The caller of a request: the holder of an API key, or a client address."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.types import Scope

from app.errors import (
    AccessDenied,
    CollectionNotGranted,
    KeyExpired,
    KeyRevoked,
    NotReady,
    RightMissing,
    VultusError,
)
from app.gallery.keys.key_records import ApiKey, KeyState
from app.gallery.keys.key_ring import KeyRing
from app.gallery.keys.key_texts import digest_of
from app.gallery.keys.pair_secrets import SigningKey
from app.gallery.keys.rights import Right, Role
from app.gallery.keys.settings_keys import SettingsKey, SettingsKeys
from app.observe.address_names import name_of_address

KEY_HEADER = "x-api-key"


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a request that was let in, and what they may do.

    `authentication`: `none` where the service has no keys, else `api_key`. `name` is that of the
    key, never a part of it. `collections` None: all of them.
    """

    authentication: str
    name: str | None
    role: str = Role.ADMIN
    rights: Sequence[Right] = tuple(Right)
    collections: Sequence[str] | None = None
    id: str | None = None
    """Identifies the key in logs and limits. Keys of the settings have none but their name."""
    requests_per_min: float | None = None
    """A limit of its own; None: that of the settings."""
    expires_at: datetime | None = None
    repeats: str = ""
    """Whose repeated requests are answered from kept answers: those of the same value."""

    @property
    def principal(self) -> str | None:
        """Return the id by which logs name the caller; None without keys."""
        return self.id or self.name

    def may(self, right: Right) -> bool:
        return right in self.rights

    def sees(self, collection: str) -> bool:
        """Return whether a collection of this name exists for the caller, if it does at all."""
        return self.collections is None or collection in self.collections

    def require(self, right: Right) -> None:
        """Raises RightMissing."""
        if right not in self.rights:
            raise RightMissing(f"this key lacks the right {right.value!r}", right=right.value)

    def require_to_grant(self, rights: Sequence[Right], collections: Sequence[str] | None) -> None:
        """Raise RightMissing or CollectionNotGranted unless a key of this caller may be given these
        rights in these collections."""
        for right in rights:
            self.require(right)
        if self.collections is None:
            return
        if collections is None:
            raise CollectionNotGranted("this key may act in some collections only")
        for name in collections:
            self.require_own(name)

    def require_own(self, collection: str) -> None:
        """Raise CollectionNotGranted for a collection that the caller does not see; the text is the
        same whether there is one."""
        if not self.sees(collection):
            raise CollectionNotGranted(f"this key may not act in collection {collection!r}")


class Callers:
    """Find the caller of a request, by the keys of the settings and those of the database."""

    def __init__(self, settings_keys: SettingsKeys, ring: KeyRing) -> None:
        self._ring = ring
        self._settings_keys = settings_keys

    def demand_keys(self) -> bool:
        """Return whether a caller needs a key; before the keys are read, they do."""
        return bool(self._settings_keys.known) or not self._ring.is_empty

    def identify(self, sent: str) -> Caller:
        """Return who sent a key.

        Keys of the settings, and of their file, are named by their place there, from 1. Without any
        key in the settings and the database, everyone may do everything. Raises AccessDenied, and
        NotReady before the keys are read.
        """
        own = self._find_own(sent)
        if own is not None:
            return Caller("api_key", own.name, repeats=own.digest)
        key = self._ring.find(sent)
        if key is not None:
            return self.let_in(key)
        if not self.demand_keys():
            return Caller("none", None)
        if not self._settings_keys.known:
            self._require_loaded()
        raise AccessDenied("the API key is missing or wrong", key="unknown" if sent else "missing")

    def pair_of(self, access_key_id: str) -> SigningKey:
        """Return the secret by which a request should be signed, and its key, which is active.

        Who signed the request is not known before the signature was checked by it; then `let_in`.
        Raises AccessDenied, KeySecretSealed, and NotReady before the keys are read.
        """
        found = self._ring.find_pair(access_key_id)
        if found is None:
            self._require_loaded()
            raise AccessDenied("no API key has this access key id")
        _require_active(found.key)
        return found

    def let_in(self, key: ApiKey) -> Caller:
        """Return the holder of a key, which was proven, as the caller. Raises AccessDenied."""
        _require_active(key)
        self._ring.note_use(key.id)
        return Caller(
            "api_key",
            key.name,
            role=key.role,
            rights=key.rights,
            collections=key.collections,
            id=key.id,
            expires_at=key.expires_at,
            requests_per_min=key.requests_per_min,
            repeats=key.id,
        )

    def _require_loaded(self) -> None:
        if not self._ring.is_loaded:
            raise NotReady("the keys of the database are not read yet")

    def _find_own(self, sent: str) -> SettingsKey | None:
        known = self._settings_keys.known
        if not known:
            return None
        digest = digest_of(sent)
        # Each is compared, and in full, so that the time taken reveals nothing.
        matches = [hmac.compare_digest(digest, own.digest) for own in known]
        return known[matches.index(True)] if any(matches) else None


def _require_active(key: ApiKey) -> None:
    state = key.state(datetime.now(UTC))
    if state is KeyState.REVOKED:
        raise KeyRevoked(f"key {key.id} is revoked", key=key.id)
    if state is KeyState.EXPIRED:
        raise KeyExpired(f"key {key.id} has expired", key=key.id)


def sent_key(headers: Mapping[str, str]) -> str:
    """Return the key that a request brings; empty without one.

    It is in `x-api-key`, or after `Bearer` in `authorization`, as clients such as Prometheus have
    it.
    """
    own = headers.get(KEY_HEADER)
    if own is not None:
        return own
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def note_caller(scope: Scope, found: Caller | VultusError) -> None:
    """Keep in the request's scope who sent it, or why they are not let in."""
    scope.setdefault("state", {})["caller"] = found


def caller_in(scope: Scope) -> Caller:
    """Return who sent a request. Raises AccessDenied or NotReady when they are not let in."""
    found: Caller | VultusError = scope["state"]["caller"]
    if isinstance(found, VultusError):
        raise found.with_traceback(None)
    return found


def limited_by(scope: Scope) -> str:
    """Return the name under which a request counts towards limits.

    Only a valid key names a caller: otherwise a client could take a new name for each request.
    """
    found = scope.get("state", {}).get("caller")
    principal = found.principal if isinstance(found, Caller) else None
    return name_address(scope.get("client")) if principal is None else f"key {principal}"


def own_rate(scope: Scope) -> float | None:
    """Return the requests a minute that the caller's key allows; None: no limit of its own."""
    found = scope.get("state", {}).get("caller")
    return found.requests_per_min if isinstance(found, Caller) else None


def name_address(client: Sequence[Any] | None) -> str:
    """A name for a client by its address; of an IPv6 address, by its network."""
    if not client:  # a Unix socket
        return "address unknown"
    return name_of_address(client[0])
