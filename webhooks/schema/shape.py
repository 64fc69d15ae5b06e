"""What all JSON of callers has in common: no unknown field, nothing coerced, nothing that Exchange cannot hold.

Here are the types that the models of asked, event and recurrence are made of. Every refusal is a sentence about the
field.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict

from workers.event.duration import parse_duration
from workers.event.zones import to_iana

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_WALL_CLOCK = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,7})?)?", re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_IDENTIFIER = re.compile(r"[!-~]+")
_ADDRESS = re.compile(r"[^\s@<>\"(),;:\\\[\]]+@[^\s@<>\"(),;:/\\\[\]]+")
_MAILBOX = re.compile(r"[!#$&'*+.0-9=A-Z^_`a-z{|}~-]+@[A-Za-z0-9.-]+")
_OBJECT_ID = re.compile(r"[A-Za-z0-9_-]+")


class Shape(BaseModel):
    """One JSON object: camelCase, no unknown field, frozen. The text below a field describes it in the document."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )


class Complete(Shape):
    """A shape whose defaults count as given, so that they are stored, too."""

    def model_post_init(self, context: Any, /) -> None:
        self.model_fields_set.update(name for name, field in type(self).model_fields.items() if not field.exclude)


def _printable(text: str) -> str:
    if found := _UNPRINTABLE.search(text):
        raise ValueError(f"must not contain the control character U+{ord(found[0]):04X}")
    return text


def _identifier(text: str) -> str:
    if not _IDENTIFIER.fullmatch(text) or text in (".", ".."):
        raise ValueError("must be an id of visible ASCII characters")
    return text


def _owner(text: str) -> str:
    if not (_MAILBOX.fullmatch(text) if "@" in text else _OBJECT_ID.fullmatch(text)):
        raise ValueError("must be 'me', an e-mail address or an object id")
    return text


def _object_id(text: str) -> str:
    if not _OBJECT_ID.fullmatch(text):
        raise ValueError("must be an object id (letters, digits, hyphens and underscores)")
    return text


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError("must be an e-mail address")
    return _printable(text)


def moment(text: str) -> datetime:
    """An RFC 3339 time with its offset (https://www.rfc-editor.org/rfc/rfc3339), in UTC. Raises ValueError."""
    if not _RFC3339.fullmatch(text):
        raise ValueError("must be a time like 2026-12-01T09:00:00Z (RFC 3339, with an offset)")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is not a real date and time") from None


def _moment_text(text: str) -> str:
    moment(text)
    return text


def _wall_clock(text: str) -> str:
    """The time to the second. EWS refuses a time without seconds; a fraction would be written again and again, because
    Exchange never returns one."""
    if not _WALL_CLOCK.fullmatch(text):
        raise ValueError(
            "must be a local time like 2026-12-01T09:00:00, without an offset; its zone goes into timeZone"
        )
    try:
        return datetime.fromisoformat(text).isoformat(timespec="seconds")
    except ValueError:
        raise ValueError("is not a real date and time") from None


def _zone(name: str) -> str:
    if to_iana(name) is None:
        raise ValueError(
            "is not a time zone that we know; give a Windows name (W. Europe Standard Time) or an IANA name"
        )
    return name


def _duration(text: str) -> str:
    try:
        parse_duration(text)
    except ValueError:
        raise ValueError("must be a duration like PT1H, -PT30M or P1D (no years or months)") from None
    return text


def size(value: Any) -> int:
    """Bytes of a value as compact JSON in UTF-8."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _as(pattern: re.Pattern[str]) -> JsonDict:
    """The pattern, for the OpenAPI document only: our own sentence about a wrong value says more than the pattern."""
    return {"pattern": f"^{pattern.pattern}$"}


Text: TypeAlias = Annotated[str, AfterValidator(_printable)]
Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_printable)]
Identifier: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=1024, json_schema_extra=_as(_IDENTIFIER)), AfterValidator(_identifier)
]
Owner: TypeAlias = Annotated[str, Field(min_length=1, max_length=320), AfterValidator(_owner)]
ObjectId: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=128, json_schema_extra=_as(_OBJECT_ID)), AfterValidator(_object_id)
]
Address: TypeAlias = Annotated[str, Field(max_length=320), AfterValidator(_address)]
Moment: TypeAlias = Annotated[str, Field(json_schema_extra={"format": "date-time"}), AfterValidator(_moment_text)]
WallClock: TypeAlias = Annotated[str, Field(json_schema_extra=_as(_WALL_CLOCK)), AfterValidator(_wall_clock)]
Zone: TypeAlias = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_zone)]
Duration: TypeAlias = Annotated[str, Field(json_schema_extra={"format": "duration"}), AfterValidator(_duration)]
Bool: TypeAlias = Annotated[bool, Strict()]
Int: TypeAlias = Annotated[int, Strict()]
Number: TypeAlias = Annotated[float, Strict()]


def in_place_of(convert: Any, schema: Any) -> BeforeValidator:
    """A shorter spelling that ``convert`` turns into the long one; ``schema`` is what the document shows for both."""
    return BeforeValidator(convert, json_schema_input_type=schema)


def digits(text: str) -> str:
    """A query parameter that is a number."""
    if not text.isascii() or not text.isdigit():
        raise ValueError("must be a positive whole number")
    return text
