"""The names of MAPI extended properties, which EWS and Graph write differently, in one spelling.

Graph: ``String {guid} Name x``, ``Integer {guid} Id 0x8233``, ``String 0x1035``
(https://learn.microsoft.com/graph/api/resources/extended-properties-overview). EWS: an ``ExtendedFieldURI`` with
PropertySetId or DistinguishedPropertySetId and PropertyName or PropertyId, or with PropertyTag.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

SETS: Mapping[str, str] = {
    "Meeting": "6ed8da90-450b-101b-98da-00aa003f1305",
    "Appointment": "00062002-0000-0000-c000-000000000046",
    "Common": "00062008-0000-0000-c000-000000000046",
    "PublicStrings": "00020329-0000-0000-c000-000000000046",
    "Address": "00062004-0000-0000-c000-000000000046",
    "InternetHeaders": "00020386-0000-0000-c000-000000000046",
    "CalendarAssistant": "11000e07-b51b-40d6-af21-caa85edab1d0",
    "UnifiedMessaging": "4442858e-a9e3-4e80-b900-317a210cc15b",
    "Task": "00062003-0000-0000-c000-000000000046",
    "Sharing": "00062040-0000-0000-c000-000000000046",
}
TYPES = frozenset({
    "ApplicationTime", "Binary", "Boolean", "CLSID", "Currency", "Double", "Float", "Integer", "Long", "Short",
    "SystemTime", "String",
})  # fmt: skip
_GRAPH_ID = re.compile(
    r"^(?P<type>\w+)\s+(?:\{(?P<set>[0-9a-f-]{36})\}\s+(?:Name\s+(?P<name>.+)|Id\s+(?P<id>0x[0-9a-f]+|\d+))"
    r"|(?P<tag>0x[0-9a-f]+))$",
    re.IGNORECASE,
)


class BadName(ValueError):
    """Not the name of an extended property."""


def of_graph(text: str) -> str:
    """The one spelling of a Graph id: Graph's own, with the GUID and numbers in lower case."""
    match = _GRAPH_ID.match(text.strip())
    kind = next((known for known in TYPES if match and known.lower() == match["type"].lower()), None)
    if match is None or kind is None:
        raise BadName(text)
    if match["tag"]:
        return f"{kind} {int(match['tag'], 16):#x}"
    if match["name"]:
        return f"{kind} {{{match['set'].lower()}}} Name {match['name'].strip()}"
    return f"{kind} {{{match['set'].lower()}}} Id {int(match['id'], 0):#x}"


def of_ews(attributes: Mapping[str, str]) -> str:
    """The one spelling of an ExtendedFieldURI, given by its attributes."""
    kind = attributes.get("PropertyType", "")
    if kind not in TYPES:
        raise BadName(f"PropertyType {kind}")
    if "PropertyTag" in attributes:
        return f"{kind} {int(attributes['PropertyTag'], 0):#x}"
    guid = attributes.get("PropertySetId", "").lower() or SETS.get(attributes.get("DistinguishedPropertySetId", ""), "")
    if "PropertyName" in attributes and guid:
        return f"{kind} {{{guid}}} Name {attributes['PropertyName']}"
    if "PropertyId" in attributes and guid:
        return f"{kind} {{{guid}}} Id {int(attributes['PropertyId'], 0):#x}"
    raise BadName("A property set with a name or an id is needed.")
