"""Half a character, which JSON may hold (a surrogate without its other half, RFC 8259 section 8.2) and UTF-8 may not:
neither the store nor a callback could take it. Exchange keeps text in UTF-16, so an event may have one."""

from __future__ import annotations

import re

_PERHAPS = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def replaced(body: bytes) -> bytes:
    """The JSON with U+FFFD for each half, escaped or not."""
    if not _PERHAPS.search(body):
        return body
    text = body.decode(errors="replace")
    return _ESCAPE.sub(lambda escape: r"\ufffd" if escape["half"] else escape[0], text).encode()
