"""Which certificates our HTTPS clients trust. Not here: which certificates we show."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import httpx


def trust(*ca_files: Path | None) -> ssl.SSLContext:
    """The public authorities, or those of SSL_CERT_FILE in their place, and those of ``ca_files`` (PEM): a mail server
    with a private certificate is often signed in to at a public address. Raises OSError where a file holds no
    certificate."""
    try:
        context = httpx.create_ssl_context()
    except OSError as error:  # its words do not name the file
        raise OSError(f"SSL_CERT_FILE = {os.environ.get('SSL_CERT_FILE')} holds no certificate: {error}") from None
    for path in ca_files:
        if path is not None:
            context.load_verify_locations(cafile=path)
    return context
