from __future__ import annotations

import pytest
from hypothesis import given
from lxml import etree

from tests.workers.ews.reference import assert_valid_body, needs_reference
from tests.workers.ews.test_mapi import FINE, GUID, properties
from workers.event.mapi_ids import PropertyId
from workers.event.properties import EXTENDED
from workers.ews import extended, mapi
from workers.ews.change import Change
from workers.ews.get_item import build as get
from workers.ews.get_item import read as read_item
from workers.ews.soap import Answer, element, find_all, parse
from workers.ews.update_item import build
from workers.exchange import MARKER_GUID, MARKER_NAME, Event, Patch, Refused
from workers.update import Target

TARGET = Target(backend="hq", event="AAMk=", mailbox="anna@hq.example")
COST_CENTRE = f"{EXTENDED}String {{{GUID}}} Name cost-centre"
COLOUR = f"{EXTENDED}Integer {{00062002-0000-0000-c000-000000000046}} Id 0x8214"
TAGGED = f"{EXTENDED}String 0x3001"
NAMES = [COST_CENTRE, COLOUR, TAGGED]


def item(changes: list[Change]) -> etree._Element:
    return parse(etree.tostring(element("t:CalendarItem", *(change.value for change in changes))))


@pytest.mark.parametrize(("kind", "value"), FINE)
def test_a_value_survives_exchange(kind: str, value: str) -> None:
    name = f"{EXTENDED}{kind} {{{GUID}}} Name x"
    assert extended.read(item(extended.write(name, value)), name) == value


def test_a_property_is_read_by_its_own_path_only() -> None:
    found = item([*extended.write(COST_CENTRE, "4711"), *extended.write(COLOUR, "3")])
    assert [extended.read(found, name) for name in NAMES] == ["4711", "3", None]


def test_a_value_is_read_in_the_one_spelling() -> None:
    name = f"{EXTENDED}Boolean 0x1234"
    path = extended.write(name, "true")[0].value
    assert path is not None
    path[1].text = "True"
    assert extended.read(element("t:CalendarItem", path), name) == "true"


def test_none_unsets() -> None:
    (change,) = extended.write(COST_CENTRE, None)
    rendered = change.render()
    assert etree.QName(rendered).localname == "DeleteItemField"
    assert rendered[0].get("PropertyName") == "cost-centre"


def test_a_value_of_another_type_is_refused_by_the_propertys_name() -> None:
    event = Event("AAMk=", "DwAAAB==", False, (), {})
    with pytest.raises(Refused, match=r"Id 0x8214: .* not a value of type Integer"):
        build(event, Patch({COLOUR: "red"}, "sendToNone", ()), "Exchange2013_SP1")


def test_it_is_asked_for_by_its_path() -> None:
    paths = find_all(get(TARGET, ["subject", COLOUR], "Exchange2013_SP1"), ".//t:ExtendedFieldURI")
    assert [path.get("PropertyId") or path.get("PropertyName") for path in paths] == ["33300", "rendezvous-updates"]


def test_it_is_a_property_of_the_event_under_the_name_that_was_asked() -> None:
    calendar_item = item(extended.write(COST_CENTRE, "4711"))
    calendar_item.insert(0, element("t:ItemId", Id="AAMk=", ChangeKey="DwAAAB=="))
    message = element("m:GetItemResponseMessage", element("m:Items", calendar_item))
    event = read_item(Answer("Success", "NoError", element=message), [COST_CENTRE, TAGGED])
    assert event.properties == {COST_CENTRE: "4711", TAGGED: None}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (f"{EXTENDED}nonsense", "an id is like"),
        (f"{EXTENDED}String 0x8001", "custom property"),
        (extended.MARKER, "Rendezvous' own"),
        (f"{EXTENDED}string {{{MARKER_GUID.upper()}}}  name {MARKER_NAME}", "Rendezvous' own"),
        ("extensions/com.contoso.x", "no open extensions"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_read(name: str, why: str) -> None:
    with pytest.raises(Refused, match=why) as caught:
        get(TARGET, [name], "Exchange2013_SP1")
    assert caught.value.detail.startswith(name)


@needs_reference
@given(properties)
def test_every_path_is_valid_by_microsofts_schema(prop: PropertyId) -> None:
    path = element("t:ExtendedFieldURI", **mapi.attributes(prop))
    paths = element("t:AdditionalProperties", path)
    shape = element("m:ItemShape", element("t:BaseShape", "IdOnly"), paths)
    assert_valid_body(element("m:GetItem", shape, element("m:ItemIds", element("t:ItemId", Id="AAMk="))))


@needs_reference
def test_every_write_is_valid_by_microsofts_schema() -> None:
    event = Event("AAMk=", "DwAAAB==", False, (), {})
    changes = {COST_CENTRE: "4711", COLOUR: None, TAGGED: "x", "subject": "Lunch"}
    assert_valid_body(build(event, Patch(changes, "sendToNone", ("upd_1",)), "Exchange2013_SP1"))
