from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.workers.ews.reference import assert_valid_body, needs_reference
from workers.ews.change import Change
from workers.ews.location import read, write
from workers.ews.soap import element, parse, text_of
from workers.ews.update_item import build
from workers.exchange import Event, Patch, Refused
from workers.settings.backend import ServerVersion

ROOM: dict[str, Any] = {
    "displayName": "Main building",
    "address": {"street": "Contoso Way 1", "city": "Redmond", "state": "WA", "countryOrRegion": "US",
                "postalCode": "98052"},
    "coordinates": {"latitude": 47.64, "longitude": -122.13, "accuracy": 5.0, "altitude": 30.5,
                    "altitudeAccuracy": 2.0},
    "locationUri": "https://maps.example/contoso",
}  # fmt: skip


def item(changes: list[Change]) -> etree._Element:
    values = [change.value for change in changes if change.value is not None]
    return parse(etree.tostring(element("t:CalendarItem", *values)))


def event(location: Any = None) -> Event:
    return Event("AAMk=", "DwAAAB==", False, (), {"location": location})


def test_a_plain_place_is_a_text() -> None:
    (change,) = write({"displayName": "Room 12"}, None)
    assert change.uri == "calendar:Location"
    assert read(item([change])) == {"displayName": "Room 12"}


def test_a_place_with_details_is_an_enhanced_location() -> None:
    (change,) = write(ROOM, None)
    assert change.uri == "calendar:EnhancedLocation"
    assert read(item([change])) == ROOM


def test_details_that_are_gone_are_taken_away_before_the_text_is_set() -> None:
    assert [(change.uri, change.value is None) for change in write({"displayName": "Room 12"}, ROOM)] == [
        ("calendar:EnhancedLocation", True),
        ("calendar:Location", False),
    ]


def test_a_place_with_details_can_be_cleared() -> None:
    assert [(change.uri, change.value) for change in write(None, ROOM)] == [
        ("calendar:EnhancedLocation", None),
        ("calendar:Location", None),
    ]


def test_the_text_is_the_name_where_there_are_no_details() -> None:
    place = element("t:EnhancedLocation", element("t:DisplayName", "Old"), element("t:PostalAddress"))
    assert read(element("t:CalendarItem", element("t:Location", "New"), place)) == {"displayName": "New"}


def test_a_place_without_an_address_is_its_text() -> None:
    place = element("t:EnhancedLocation", element("t:DisplayName", "Old"))
    assert read(element("t:CalendarItem", element("t:Location", "New"), place)) == {"displayName": "New"}


def test_coordinates_may_be_whole_numbers_but_nothing_else() -> None:
    (change,) = write({"displayName": "Null Island", "coordinates": {"latitude": 0, "longitude": 1}}, None)
    assert read(item([change]))["coordinates"] == {"latitude": 0.0, "longitude": 1.0}
    for latitude in (True, "48.2", float("nan")):
        with pytest.raises(ValueError, match="is no coordinate"):
            write({"coordinates": {"latitude": latitude}}, None)


def test_the_place_has_its_own_name_where_there_are_details() -> None:
    (change,) = write(ROOM, None)
    assert change.value is not None
    found = read(
        element("t:CalendarItem", element("t:Location", "Main building (Contoso Way 1, Redmond)"), change.value)
    )
    assert found["displayName"] == "Main building"


def test_a_place_whose_own_name_is_empty_has_none_whatever_text_exchange_makes_up() -> None:
    nameless = {**ROOM, "displayName": ""}
    (change,) = write(nameless, None)
    assert change.value is not None
    assert read(element("t:CalendarItem", element("t:Location", "Contoso Way 1, Redmond"), change.value)) == nameless


def test_what_is_not_known_of_a_place_is_left_out() -> None:
    address = element("t:PostalAddress", element("t:City", "Wien"), element("t:Latitude", "NaN"))
    place = element("t:EnhancedLocation", element("t:DisplayName", "Office"), address)
    assert read(element("t:CalendarItem", place)) == {"displayName": "Office", "address": {"city": "Wien"}}


@pytest.mark.parametrize(("version", "works"), [("Exchange2010_SP2", False), ("Exchange2013", True)])
def test_details_exist_from_2013_on(version: ServerVersion, works: bool) -> None:
    asked = Patch({"location": ROOM}, "sendToNone", ())
    if works:
        assert build(event(), asked, version) is not None
    else:
        with pytest.raises(Refused, match=r"location: .*address, coordinates, locationUri before Exchange2013"):
            build(event(), asked, version)


texts = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=10)
numbers = st.floats(-180, 180)
places = st.fixed_dictionaries(
    {"displayName": texts},
    optional={
        "address": st.dictionaries(st.sampled_from(sorted(ROOM["address"])), texts, min_size=1),
        "coordinates": st.dictionaries(st.sampled_from(sorted(ROOM["coordinates"])), numbers, min_size=1),
        "locationUri": texts,
    },
)


@given(places)
def test_every_place_survives_exchange(value: Any) -> None:
    assert read(item(write(value, None))) == value


@needs_reference
@given(value=places, before=st.none() | places)
def test_every_place_is_valid_by_microsofts_schema(value: Any, before: Any) -> None:
    assert_valid_body(build(event(before), Patch({"location": value}, "sendToNone", ()), "Exchange2013"))


def test_a_number_that_needs_an_exponent_is_sent_as_one() -> None:
    (change,) = write({"displayName": "x", "coordinates": {"latitude": 1e-7}}, None)
    assert change.value is not None
    assert text_of(change.value, "t:PostalAddress/t:Latitude") == "1e-07"
