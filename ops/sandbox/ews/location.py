"""EnhancedLocation: https://learn.microsoft.com/exchange/client-developer/web-service-reference/enhancedlocation."""

from __future__ import annotations

from ops.sandbox.event import Event
from ops.sandbox.ews.soap import NS, Element, T
from ops.sandbox.ews.values import Pieces

_ADDRESS = {
    "street": "Street", "city": "City", "state": "State", "countryOrRegion": "Country", "postalCode": "PostalCode",
}  # fmt: skip
_COORDINATES = {
    "latitude": "Latitude", "longitude": "Longitude", "accuracy": "Accuracy", "altitude": "Altitude",
    "altitudeAccuracy": "AltitudeAccuracy",
}  # fmt: skip


def show(event: Event) -> Element | None:
    """The place with all that is known of it; None where the event has none."""
    place = event["location"]
    if not any(place.get(name) for name in ("displayName", "address", "coordinates", "locationUri")):
        return None
    address, coordinates = place.get("address") or {}, place.get("coordinates") or {}
    details = [
        *(T(name, address[ours]) for ours, name in _ADDRESS.items() if address.get(ours)),
        T.Type("Business"),
        *(T(name, str(coordinates[ours])) for ours, name in _COORDINATES.items() if coordinates.get(ours) is not None),
        *([T.LocationUri(place["locationUri"])] if place.get("locationUri") else []),
        T.LocationSource("None"),
    ]
    return T.EnhancedLocation(T.DisplayName(place["displayName"]), T.PostalAddress(*details))


def read(element: Element) -> Pieces:
    """Graph's location."""
    address = {ours: text for ours, name in _ADDRESS.items() if (text := _detail(element, name))}
    coordinates = {ours: float(text) for ours, name in _COORDINATES.items() if (text := _detail(element, name))}
    told = {"address": address, "coordinates": coordinates, "locationUri": _detail(element, "LocationUri")}
    kept = {name: value for name, value in told.items() if value}
    return {"location": {"displayName": element.findtext("t:DisplayName", "", NS), **kept}}


def _detail(element: Element, name: str) -> str:
    return element.findtext(f"t:PostalAddress/t:{name}", "", NS)
