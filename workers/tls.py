"""Which certificates our HTTPS clients trust. Not here: which certificates we show."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx


def trust(*ca_files: Path | None) -> ssl.SSLContext:
    """The public authorities and those of ``ca_files`` (PEM): a mail server with a private certificate
    is often signed in to at a public address. Raises OSError where a file holds no certificate."""
    context = httpx.create_ssl_context()
    for path in ca_files:
        if path is not None:
            context.load_verify_locations(cafile=path)
    return context
