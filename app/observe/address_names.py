"""Names of clients by their addresses, by which they are limited and have turns."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address

_NETWORK_BITS = 64  # of an IPv6 address; the client may choose the rest, another one each time


@lru_cache(maxsize=4096)
def name_of_address(address: str) -> str:
    """Return a name for a client by its address; of an IPv6 address, by its network."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return f"address {address}"
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return f"address {parsed.ipv4_mapped}"
        return f"network {int(parsed) >> (128 - _NETWORK_BITS):x}"
    return f"address {parsed}"
