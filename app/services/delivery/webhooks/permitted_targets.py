"""Which hosts and addresses webhooks may reach, so that nobody reaches this network by them.

A name is judged by the list of hosts, and each address that it has by itself, at the moment of the
connection; see `checked_network.py`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from app.errors import WebhookTargetRefused
from app.settings import WebhookSettings

Address = IPv4Address | IPv6Address

_LONGEST_URL = 2_048
# Others, as a zone (%) or a backslash, mean something else to each parser.
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")
_NAT64 = IPv6Network("64:ff9b::/96")
# All that IANA has assigned as global unicast. Outside lie, among others, IPv4 addresses in former
# forms (::127.0.0.1, ::ffff:0:127.0.0.1) and addresses of a site (fec0::/10).
_GLOBAL_UNICAST = IPv6Network("2000::/3")
# Special addresses (IANA) that `is_global` of some versions of Python takes for public ones.
_SPECIAL = tuple(
    ip_network(network) for network in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "3fff::/20")
)
# A public address that each machine of Azure reaches as its own host.
_METADATA = frozenset({ip_address("168.63.129.16")})


@dataclass(frozen=True, slots=True)
class PermittedTargets:
    """`hosts`: names, and names below one (`*.example.com`); empty: all. `networks`: those that
    may be reached although they are not public."""

    hosts: Sequence[str] = ()
    networks: Sequence[IPv4Network | IPv6Network] = ()
    http: bool = False

    @classmethod
    def of(cls, settings: WebhookSettings) -> "PermittedTargets":
        return cls(
            tuple(host.lower().rstrip(".") for host in settings.hosts),
            tuple(ip_network(network) for network in settings.networks),
            settings.http,
        )

    def require_url(self, url: str) -> None:
        """Raise WebhookTargetRefused unless a webhook may have this URL; resolves no name."""
        if len(url) > _LONGEST_URL:
            raise WebhookTargetRefused(f"the URL has more than {_LONGEST_URL} letters")
        if not url.isascii() or not url.isprintable() or " " in url:
            raise WebhookTargetRefused("the URL has letters that a URL must not have")
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            raise WebhookTargetRefused(f"the URL is malformed: {error}") from error
        if parts.scheme != "https" and not (self.http and parts.scheme == "http"):
            raise WebhookTargetRefused(
                "the URL must begin with https://" + (" or http://" if self.http else "")
            )
        if not host:
            raise WebhookTargetRefused("the URL names no host")
        if not _HOST.fullmatch(host):
            raise WebhookTargetRefused(f"the host {host!r} is no name of a host, and no address")
        if parts.username is not None or parts.password is not None:
            raise WebhookTargetRefused("the URL has a user name, which would be kept in the clear")
        if parts.fragment:
            raise WebhookTargetRefused("the URL has a fragment (#), which is never sent")
        if not self.permits_host(host):
            raise WebhookTargetRefused(f"the host {host!r} is not one that webhooks may reach")

    def permits_host(self, host: str) -> bool:
        """Return whether the list of hosts has a host, or there is none."""
        name = host.lower().rstrip(".")
        return not self.hosts or any(
            name.endswith(wanted[1:]) if wanted.startswith("*.") else name == wanted
            for wanted in self.hosts
        )

    def permits_address(self, text: str) -> bool:
        """Return whether an address may be connected to."""
        address = ip_address(text.partition("%")[0])
        if any(address in network for network in self.networks):
            return True
        inner = _inner_address(address)
        if inner is not None:  # an IPv4 address in the form of an IPv6 one
            return self.permits_address(str(inner))
        if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
            return False
        if address.is_multicast or not address.is_global or address in _METADATA:
            return False
        return not any(address in network for network in _SPECIAL)


def _inner_address(address: Address) -> IPv4Address | None:
    if not isinstance(address, IPv6Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour
