"""What an address is: a host that can be looked up or stands for itself, and a URL that an HTTP client can ask.

Not here: whether an address may be dialled (workers/callbacks/public_net).
"""

from __future__ import annotations

import re
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeAlias
from urllib.parse import urlsplit

Address: TypeAlias = IPv4Address | IPv6Address

_NAME = re.compile(
    r"(?=.{1,254}\Z)(?:[a-z0-9_-]{1,63}\.)*(?!(?:[0-9]+|0x[0-9a-f]*)\.?\Z)[a-z0-9_-]{1,63}\.?", re.IGNORECASE
)
"""No label is empty or too long, and the last one is no number, which would be a broken address."""
_LOCAL = re.compile(r"(?:.*\.)?localhost\.?", re.IGNORECASE)
"""Names that are loopback everywhere (RFC 6761, 6.3)."""


def is_address(url: str) -> bool:
    """Whether it is http or https to a host. A name in other letters than ASCII has to be given as xn--…"""
    try:
        parts, _ = urlsplit(url), urlsplit(url).port
        host = parts.hostname or ""
        host.encode("ascii").decode("idna")
    except ValueError:
        return False
    is_host = bool(spelled(host)) or is_name(host)
    return parts.scheme in ("http", "https") and is_host and re.search(r"[\x00-\x20\x7f]", url) is None


def is_name(host: str) -> bool:
    """Whether a resolver would look it up."""
    return _NAME.fullmatch(host) is not None


def spelled(host: str) -> tuple[Address, ...]:
    """The addresses that a host spells out itself, also in the odd forms that every resolver reads as IPv4: 127.1,
    0x7f000001. Empty for other names, which have to be resolved."""
    if _LOCAL.fullmatch(host):
        return (IPv4Address("127.0.0.1"), IPv6Address("::1"))
    try:
        return (ip_address(host),)
    except ValueError:
        pass
    try:
        return (IPv4Address(socket.inet_aton(host)),) if re.fullmatch(r"[0-9a-fA-FxX.]+", host) else ()
    except OSError:
        return ()
