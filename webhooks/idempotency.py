"""The Idempotency-Key: what the caller means by it, and whether two bodies are the same.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/ wants a quoted string (RFC 8941, 3.3.3);
nearly every client sends it bare. Both are taken, and mean the same. Not here: remembering keys (workers/store).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

from workers.update import Json

_KEY = re.compile(r"[!-~]{1,255}")
_QUOTED = re.compile(r'"((?:[!#-\[\]-~]|\\["\\])+)"')


class BadKey(ValueError):
    """Not an idempotency key."""


def key_of(header: str) -> str:
    """The key that a header's value stands for: 1–255 visible ASCII characters. Raises BadKey."""
    value = header.strip(" \t")
    if value.startswith('"'):
        quoted = _QUOTED.fullmatch(value)
        value = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else ""
    if not _KEY.fullmatch(value):
        raise BadKey("An Idempotency-Key is one key: 1 to 255 visible ASCII characters, bare or in double quotes")
    return value


def digest(text: str) -> str:
    """The form in which the store keeps a key. Short, because one is kept for each update; 128 bits suffice, because
    nobody gains by a collision of their own keys."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def fingerprint(document: Mapping[str, Json]) -> str:
    """The same for two bodies that are the same JSON, whatever their white space and the order of their keys."""
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return digest(canonical)
