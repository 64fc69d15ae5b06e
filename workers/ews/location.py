"""Where an event takes place: Graph's location, Exchange's Location and, from Exchange 2013 on, EnhancedLocation.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/location
https://learn.microsoft.com/exchange/client-developer/web-service-reference/enhancedlocation
https://learn.microsoft.com/graph/api/resources/location

Location is a text. EnhancedLocation has a name of its own beside an address and coordinates; it is written only where
there are such details, so that a plain place stays what every version understands.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from lxml import etree

from workers.ews.change import Change, tag
from workers.ews.soap import element, find, text_of
from workers.update import Json

TEXT, ENHANCED = "calendar:Location", "calendar:EnhancedLocation"

_ADDRESS = {
    "street": "Street",
    "city": "City",
    "state": "State",
    "countryOrRegion": "Country",
    "postalCode": "PostalCode",
}
_COORDINATES = {
    "latitude": "Latitude",
    "longitude": "Longitude",
    "accuracy": "Accuracy",
    "altitude": "Altitude",
    "altitudeAccuracy": "AltitudeAccuracy",
}
_DETAILS = ("address", "coordinates", "locationUri")


def read(item: etree._Element) -> Json:
    """Graph's location, None where there is none. The name is the text that people see, unless there are details:
    then Exchange may make the text up of the name, which may be empty, and the address."""
    text, place = text_of(item, tag(TEXT)), find(item, tag(ENHANCED))
    details = {} if place is None else _read_details(find(place, "t:PostalAddress"))
    if place is not None and details:
        name = text_of(place, "t:DisplayName")
        text = text if name is None else name
    return {"displayName": text or "", **details} if text or details else None


def write(value: Json, before: Json) -> list[Change]:
    """The text alone, or the enhanced location alone. Raises ValueError for what neither can hold."""
    value = value or {}
    if _present(value.get("locationEmailAddress")):
        raise ValueError("Exchange Web Services cannot hold its locationEmailAddress")
    text = value.get("displayName")
    if details(value):
        place = element(tag(ENHANCED), element("t:DisplayName", text or ""), _address(value))
        return [Change(ENHANCED, place)]
    plain = Change(TEXT, element(tag(TEXT), text) if text else None)
    return [Change(ENHANCED), plain] if details(before or {}) else [plain]


def details(location: Mapping[str, Json]) -> tuple[str, ...]:
    """The parts of a location beside its name, which only an enhanced location can hold."""
    return tuple(name for name in _DETAILS if _present(location.get(name)))


def _present(value: Json) -> bool:
    if isinstance(value, dict):
        return any(_present(inner) for inner in value.values())
    return value is not None and value != ""


def _address(value: Mapping[str, Json]) -> etree._Element:
    """PostalAddress, in the schema's order."""
    address, coordinates, uri = (value.get(name) for name in _DETAILS)
    known = [(theirs, (address or {}).get(ours)) for ours, theirs in _ADDRESS.items()]
    known += [(theirs, _number((coordinates or {}).get(ours))) for ours, theirs in _COORDINATES.items()]
    return element(
        "t:PostalAddress", *(element(f"t:{name}", text) for name, text in [*known, ("LocationUri", uri)] if text)
    )


def _number(value: Json) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f"{value!r} is no coordinate")
    return repr(value)


def _read_details(found: etree._Element | None) -> dict[str, Json]:
    if found is None:
        return {}
    address = {ours: text for ours, theirs in _ADDRESS.items() if (text := text_of(found, f"t:{theirs}"))}
    places = {ours: _coordinate(text_of(found, f"t:{theirs}")) for ours, theirs in _COORDINATES.items()}
    coordinates = {name: number for name, number in places.items() if number is not None}
    told = {"address": address, "coordinates": coordinates, "locationUri": text_of(found, "t:LocationUri")}
    return {name: value for name, value in told.items() if value}


def _coordinate(text: str | None) -> float | None:
    """None for NaN too, which is how Exchange may say that there is none."""
    number = float(text) if text else None
    return number if number is not None and isfinite(number) else None
