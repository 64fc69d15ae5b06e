"""A request's bytes → JSON, strictly: what two parsers could read differently is refused by name.

Flask's own parsing takes the first bytes of a chunked body that is too long for the whole, UTF-16, the last of two
equal keys, NaN and 1e999, and answers deep nesting with a 500.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import accumulate
from math import isinf
from typing import NoReturn, Protocol

from workers.update import Json

BYTES_AT_MOST = 256 * 1024
LEVELS_AT_MOST = 20
_CHUNK = 64 * 1024
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_BRACKETS = re.compile(r"[\[\]{}]")
_LARGEST = 2**63


class NotJson(ValueError):
    """The body is not the JSON that it has to be; the message is a sentence."""


class TooLarge(ValueError):
    """The body is longer than it may be."""


class Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


def receive(stream: Stream, declared: int | None, at_most: int = BYTES_AT_MOST) -> bytes:
    """The whole body. ``declared``: its Content-Length, None for a chunked one. Raises TooLarge, NotJson.

    Read until it ends and counted as it comes: only that bounds a chunked body.
    """
    if declared is not None and declared > at_most:
        raise TooLarge
    body = bytearray()
    while chunk := _read(stream):
        body += chunk
        if len(body) > at_most:
            raise TooLarge
    if declared is not None and len(body) < declared:
        raise NotJson("The body ends before the length that it was said to have")
    return bytes(body)


def _read(stream: Stream) -> bytes:
    try:
        return stream.read(_CHUNK)
    except Exception as error:  # each server says with an exception of its own that a transfer is broken
        raise NotJson("The body could not be read to its end") from error


def parse(raw: bytes) -> Mapping[str, Json]:
    """The JSON object that ``raw`` is. Raises NotJson."""
    text = _decoded(raw)
    _check_depth(text)
    try:
        document = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_int
        )
        if "\\u" in text:  # only so can half a pair be written
            json.dumps(document, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise NotJson(f"The body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except UnicodeEncodeError:
        raise NotJson("A string in the body contains half of a surrogate pair, which is no character") from None
    if not isinstance(document, dict):
        raise NotJson("The body must be a JSON object")
    return document


def _decoded(raw: bytes) -> str:
    if not raw.strip():
        raise NotJson("The body is empty; it must be a JSON object")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise NotJson("The body is not UTF-8") from None
    if text.startswith("\ufeff"):
        raise NotJson("The body begins with a byte order mark; send UTF-8 without one")
    return text


def _check_depth(text: str) -> None:
    """Before parsing, because the parser itself recurses."""
    brackets = _BRACKETS.findall(_STRING.sub("", text))
    deepest = max(accumulate(1 if bracket in "[{" else -1 for bracket in brackets), default=0)
    if deepest > LEVELS_AT_MOST:
        raise NotJson(f"The body is nested {deepest} levels deep; {LEVELS_AT_MOST} are allowed")


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    document: dict[str, Json] = {}
    for name, value in pairs:
        if name in document:
            raise NotJson(f"The key {name[:100]!r} stands twice in one object")
        document[name] = value
    return document


def _constant(name: str) -> NoReturn:
    raise NotJson(f"{name} is not JSON")


def _float(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise NotJson("A number in the body is too large")
    return number


def _int(text: str) -> int:
    if len(text) > 20 or not -_LARGEST <= (number := int(text)) < _LARGEST:
        raise NotJson("A whole number in the body does not fit into 64 bits")
    return number
