"""Whether an HTTP client can make anything of an address. Not here: whether the address may be dialled (callbacks/)."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx


def is_address(url: str) -> bool:
    """Whether it is http or https, and its host a name that can be looked up or an IP address. What is none has httpx
    and the resolver raise errors that are no HTTP errors."""
    try:
        parts, _ = httpx.URL(url), urlsplit(url).port
        host = parts.raw_host.decode().encode("idna")
        return parts.scheme in ("http", "https") and bool(parts.host and host) and " " not in url
    except (httpx.InvalidURL, ValueError):
        return False
