"""MAPI properties as Exchange Web Services address them, and the one spelling of each value that they can hold.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/extendedfielduri. Graph and Exchange Web
Services both write values as text. Pure; not here: their ids (event/mapi_ids), elements (extended).
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import isfinite
from struct import pack
from uuid import UUID

from workers.event import mapi_ids
from workers.event.mapi_ids import KINDS, PropertyId

SETS: Mapping[str, str] = {
    "6ed8da90-450b-101b-98da-00aa003f1305": "Meeting",
    "00062002-0000-0000-c000-000000000046": "Appointment",
    "00062008-0000-0000-c000-000000000046": "Common",
    "00020329-0000-0000-c000-000000000046": "PublicStrings",
    "00062004-0000-0000-c000-000000000046": "Address",
    "00020386-0000-0000-c000-000000000046": "InternetHeaders",
    "11000e07-b51b-40d6-af21-caa85edab1d0": "CalendarAssistant",
    "4442858e-a9e3-4e80-b900-317a210cc15b": "UnifiedMessaging",
    "00062003-0000-0000-c000-000000000046": "Task",
}
"""GUID → DistinguishedPropertySetId. ``Sharing`` goes by its GUID: the oldest schema does not have the name."""

_GUIDS = {name: guid for guid, name in SETS.items()} | {"Sharing": "00062040-0000-0000-c000-000000000046"}
_UNUSABLE = frozenset({"error", "null", "object"})
_CUSTOM_TAG = 0x8000


def parse(text: str) -> PropertyId:
    """The property that an id names. Raises ValueError, with a sentence, for what is no id or cannot be written."""
    named = mapi_ids.parse(text)
    _check_kind(named.kind)
    if named.tag is not None:
        _check_tag(named.tag)
    if named.number is not None and named.number >= 1 << 31:
        raise ValueError(f"{named.number:#x} is beyond what Exchange has as the number of a property")
    return named


def _check_kind(kind: str) -> None:
    if kind in KINDS:
        return
    if kind.lower().endswith("array"):
        raise ValueError(f"a property of type {kind} holds many values, not a single one")
    if kind.lower() in _UNUSABLE:
        raise ValueError(
            f"a property of type {kind} can be neither read nor written (ErrorUnsupportedMapiPropertyType)"
        )
    raise ValueError(f"{kind!r} is none of the types {', '.join(KINDS)}")


def _check_tag(tag: int) -> None:
    if tag > 0xFFFF:
        raise ValueError(f"{tag:#x} is no property tag: it is given without its type, from 0x0001 to 0x7FFF")
    if tag >= _CUSTOM_TAG:
        raise ValueError(
            f"the tag {tag:#x} of a custom property differs from mailbox to mailbox; name the property by its set and "
            "name or id (ErrorNoPropertyTagForCustomProperties)"
        )


def attributes(prop: PropertyId) -> dict[str, str]:
    """The attributes of the ExtendedFieldURI that addresses it."""
    if prop.tag is not None:
        return {"PropertyTag": f"{prop.tag:#06x}", "PropertyType": prop.kind}
    known = SETS.get(prop.guid)
    where = {"PropertySetId": prop.guid} if known is None else {"DistinguishedPropertySetId": known}
    which = {"PropertyName": prop.name} if prop.name is not None else {"PropertyId": str(prop.number)}
    return {**where, **which, "PropertyType": prop.kind}


def addressed(by: Mapping[str, str]) -> PropertyId | None:
    """The inverse of ``attributes``, however Exchange spells them: it may name a set where it was asked by GUID, and
    the other way round. None for attributes that address nothing."""
    kind, tag, number = by.get("PropertyType", ""), by.get("PropertyTag"), by.get("PropertyId")
    try:
        if tag is not None:
            return PropertyId(kind, tag=int(tag, 0))
        guid = by.get("PropertySetId", "").lower() or _GUIDS[by.get("DistinguishedPropertySetId", "")]
        return PropertyId(kind, guid, by.get("PropertyName"), None if number is None else int(number, 0))
    except (ValueError, KeyError):
        return None


def checked(kind: str, value: object) -> str:
    """The value, if it is text that this type can have, in the spelling in which Exchange gives it back: of any other
    spelling we could never see that it stands. Raises ValueError, with a sentence."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a string")
    try:
        spelling = SPELLINGS[kind](value)
    except (ValueError, OverflowError):
        raise ValueError(f"{value!r} is not a value of type {kind}") from None
    if spelling != value:
        raise ValueError(f"the value {value!r} of type {kind} has to be spelled {spelling!r}")
    return value


def spelled(kind: str, text: str) -> str:
    """A value that Exchange tells, in the one spelling; unchanged if it is no value of its type."""
    try:
        return SPELLINGS[kind](text)
    except (ValueError, OverflowError, KeyError):
        return text


def _whole(bits: int) -> Callable[[str], str]:
    def spell(text: str) -> str:
        if not -(1 << bits - 1) <= (number := int(text)) < 1 << bits - 1:
            raise ValueError(text)
        return str(number)

    return spell


def _real(size: str) -> Callable[[str], str]:
    def spell(text: str) -> str:
        if not isfinite(number := float(text)):
            raise ValueError(text)
        pack(size, number)
        return repr(number).removesuffix(".0")

    return spell


def _truth(text: str) -> str:
    spelling = {"true": "true", "1": "true", "false": "false", "0": "false"}.get(text.strip().lower())
    if spelling is None:
        raise ValueError(text)
    return spelling


def _moment(text: str) -> str:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "ApplicationTime": _real("d"),
    "Binary": lambda text: b64encode(b64decode(text, validate=True)).decode(),
    "Boolean": _truth,
    "CLSID": lambda text: str(UUID(text)),
    "Currency": _whole(64),
    "Double": _real("d"),
    "Float": _real("f"),
    "Integer": _whole(32),
    "Long": _whole(64),
    "Short": _whole(16),
    "String": str,
    "SystemTime": _moment,
}
"""Type → the one spelling of a text; each raises ValueError or OverflowError for what is no value of the type."""
