"""What may be dialled for a caller: public addresses, and the networks that the configuration opens to the client.

Names are never judged, addresses are: a name is resolved, every address it has is judged, and the judged address is
the one that is dialled (TLS still checks the name). Not here: HTTP (workers/callbacks/egress).
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias
from urllib.parse import urlsplit

from workers.address import Address, is_name, spelled

Network: TypeAlias = IPv4Network | IPv6Network

NOT_PUBLIC: tuple[Network, ...] = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
        "::/8", "100::/63", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "64:ff9b::/96",
        "64:ff9b:1::/48", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip
"""IANA's special-purpose blocks, everything that wraps an IPv4 address into IPv6, and Azure's wire server: more than
``ipaddress.is_global`` knows."""

PUBLIC_PORTS = frozenset({443, 8443})
"""The ports that callers may have us dial. Inside a client's own networks every port is open."""
_PORTS_SAID = f"callbacks to the public internet go to the ports {' and '.join(map(str, sorted(PUBLIC_PORTS)))}"

_URL = re.compile(
    r"https?://(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?(?:[/?][!$-\[\]-~]*)?", re.IGNORECASE
)
"""Visible ASCII without quotes, ``#`` and backslash; no user name. Stricter than any parser that will read it."""


class Blocked(Exception):
    """The address may not be dialled."""


def refusal(url: str, networks: Sequence[Network]) -> str | None:
    """Why this callback URL can never be dialled, as a sentence; None if it may be.

    Judges only the URL itself; a name is resolved and judged when it is dialled. Plain http never leaves the client's
    own networks.
    """
    if len(url) > 2048 or not _URL.fullmatch(url):
        return "this is not a plain https URL (no user name, fragment, backslash, space or control character)"
    try:
        parts = urlsplit(url)
    except ValueError:
        return "what stands in the brackets is not an IPv6 address"
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        return "the port is not a number from 1 to 65535"
    if parts.scheme != "https" and not networks:
        return "callbacks go to https URLs (http only inside the client's callback_networks)"
    host = parts.hostname or ""
    itself = spelled(host)
    if not itself and not is_name(host):
        return f"{host[:80]} is not the name of a host"
    if not networks and (port or 443) not in PUBLIC_PORTS:
        return _PORTS_SAID
    if not itself or any(_is_in(address, networks) for address in itself):
        return None
    if parts.scheme != "https":
        return "plain http goes to addresses in the client's callback_networks only"
    if is_public(itself[0]):
        return None if (port or 443) in PUBLIC_PORTS else _PORTS_SAID
    return f"{itself[0]} is not a public address and not in the client's callback_networks"


def is_public(address: Address) -> bool:
    """Whether anybody may have us dial this address."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    return not _is_in(address, NOT_PUBLIC)


def judged(host: str, port: int, networks: Sequence[Network], *, public_too: bool) -> list[Address]:
    """Every address of ``host``, all of which may be dialled: in ``networks``, or public where that is allowed.

    Raises Blocked if a single one may not be, OSError if there is none.
    """
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise OSError(f"{host} is not a host name") from None
    addresses = [ip_address(str(answer[4][0]).partition("%")[0]) for answer in answers]
    for address in addresses:
        if _is_in(address, networks):
            continue
        if not (public_too and is_public(address)):
            named = host if host == str(address) else f"{host} is {address}, which"
            raise Blocked(f"{named} is not a public address and not in the client's callback_networks")
        if port not in PUBLIC_PORTS:
            raise Blocked(_PORTS_SAID)
    return list(dict.fromkeys(addresses))


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return _is_in(address.ipv4_mapped, networks)
    return any(address.version == network.version and address in network for network in networks)
