"""GetServerTimeZones: https://learn.microsoft.com/exchange/client-developer/web-service-reference/getservertimezones-operation.

Names only, whatever ``ReturnFullTimeZoneData`` says.
"""

from __future__ import annotations

from ops.sandbox.ews.soap import NS, Element, M, T, success
from ops.sandbox.ews.visitor import Visitor
from ops.sandbox.zones import known_zones


def answer(visitor: Visitor) -> list[Element]:
    """Those of the zones asked for that exist; all zones if none is named."""
    ids = {found.text for found in visitor.request.element.findall("m:Ids/t:Id", NS)}
    shown = [T.TimeZoneDefinition(Id=zone, Name=zone) for zone in known_zones() if not ids or zone in ids]
    return [success("GetServerTimeZones", M.TimeZoneDefinitions(*shown))]
