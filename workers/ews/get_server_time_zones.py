"""GetServerTimeZones: which of these zones the mailbox's server knows. From Exchange 2010 on.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/getservertimezones-operation
"""

from __future__ import annotations

from collections.abc import Collection

from lxml import etree

from workers.ews.soap import Answer, NotAnAnswer, element, find_all

NAME = "GetServerTimeZones"


def build(zones: Collection[str]) -> etree._Element:
    """The request for these Windows names, without the zones' rules."""
    ids = element("m:Ids", *(element("t:Id", zone) for zone in sorted(zones)))
    return element("m:GetServerTimeZones", ids, ReturnFullTimeZoneData="false")


def read(answer: Answer) -> frozenset[str]:
    """Those that the server knows; one that it does not is left out. Raises NotAnAnswer."""
    found = answer.find("m:TimeZoneDefinitions")
    if found is None:
        raise NotAnAnswer("the response message holds no time zones")
    return frozenset(zone.get("Id", "") for zone in find_all(found, "t:TimeZoneDefinition"))
