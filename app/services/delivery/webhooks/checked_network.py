"""Connections to addresses that were checked, and to no others.

A name is resolved once for a connection. The addresses that are not permitted are left out, and the
connection is made to one of the others by its number, so that the answer to a second query (DNS
rebinding) counts for nothing. TLS still names and verifies the host of the URL.
"""

import asyncio
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

import httpcore2

from app.services.delivery.blocking_calls import blocking
from app.services.delivery.webhooks.permitted_targets import PermittedTargets

Resolve = Callable[[str, int], Sequence[str]]
"""Returns the addresses of a host, as numbers. Blocks; raises OSError."""

_MOST_ADDRESSES = 4
_CONNECT_WITHIN_S = 5.0
"""Seconds for each address."""


class AddressRefusedError(Exception):
    """No address of the host may be connected to."""


def resolve_by_system(host: str, port: int) -> list[str]:
    """Return the addresses that the system knows for a host, each once."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def permitted_addresses(
    permitted: PermittedTargets, host: str, port: int, resolve: Resolve
) -> list[str]:
    """Return the addresses of a host that may be connected to.

    Raises AddressRefusedError when there are none, and OSError when the host has no address.
    """
    found = await blocking(resolve, host, port)
    good = [address for address in found if permitted.permits_address(address)]
    if not good:
        raise AddressRefusedError(
            f"{host} has no public address" if found else f"{host} has no address"
        )
    return good[:_MOST_ADDRESSES]


class CheckedNetwork(httpcore2.AsyncNetworkBackend):
    """Opens connections for HTTP."""

    def __init__(self, permitted: PermittedTargets, resolve: Resolve) -> None:
        self._permitted = permitted
        self._resolve = resolve
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (the interface of the library)
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Raises AddressRefusedError, OSError and what the library raises."""
        addresses = await permitted_addresses(
            self._permitted, host.strip("[]"), port, self._resolve
        )
        *others, last = addresses
        within_s = _CONNECT_WITHIN_S if timeout is None else min(timeout, _CONNECT_WITHIN_S)
        for address in others:
            with suppress(httpcore2.ConnectError, httpcore2.ConnectTimeout):
                return await self._network.connect_tcp(
                    address, port, within_s, local_address, socket_options
                )
        return await self._network.connect_tcp(last, port, within_s, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
