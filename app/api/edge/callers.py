"""The caller of a request: the holder of an API key, or a client address."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address, ip_address
from typing import Any

from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.types import Scope

KEY_HEADER = "x-api-key"

_NETWORK_BITS = 64  # of an IPv6 address; the client may choose the rest, another one each time


class Right(StrEnum):
    """What a key may do."""

    IDENTIFY = "identify"
    ENROLL = "enroll"
    CORRECT = "correct"
    TEMPLATES = "templates"
    AUDIT = "audit"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a request that was let in, and what they may do.

    `authentication`: `none` where the service has no keys, else `api_key`. `name` is that of the
    key, never a part of it. `collections` None: all of them.
    """

    authentication: str
    name: str | None
    role: str = "admin"
    rights: Sequence[Right] = tuple(Right)
    collections: Sequence[str] | None = None


def identify_caller(allowed: Sequence[SecretStr], sent: str) -> Caller:
    """Return who sent a key. Every key may do everything, as may all callers of a service without.

    A key is named by its place among the keys of the settings, from 1.
    """
    if not allowed:
        return Caller("none", None)
    place = find_key(allowed, sent)
    return Caller("api_key", None if place is None else f"key {place + 1}")


def find_key(allowed: Sequence[SecretStr], sent: str) -> int | None:
    """The place of a sent key among those allowed; None when it is none of them."""
    key = sent.encode("utf-8")
    # Every key is compared in full, so that the time taken reveals nothing.
    matches = [secrets.compare_digest(key, k.get_secret_value().encode("utf-8")) for k in allowed]
    return matches.index(True) if any(matches) else None


def caller_of(scope: Scope, allowed: Sequence[SecretStr]) -> str:
    """Return a name for the caller of a request.

    Only a valid key names a caller: otherwise a client could take a new name for each request.
    """
    place = find_key(allowed, Headers(scope=scope).get(KEY_HEADER, ""))
    return name_address(scope.get("client")) if place is None else f"key {place}"


def name_address(client: Sequence[Any] | None) -> str:
    """A name for a client by its address; of an IPv6 address, by its network."""
    if not client:  # a Unix socket
        return "address unknown"
    try:
        address = ip_address(client[0])
    except ValueError:
        return f"address {client[0]}"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return f"address {address.ipv4_mapped}"
        return f"network {int(address) >> (128 - _NETWORK_BITS):x}"
    return f"address {address}"
