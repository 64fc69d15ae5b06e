from __future__ import annotations

import pytest
from lxml import etree

from workers.event.properties import EXTENDED
from workers.ews.change import Change, path_of
from workers.ews.soap import element

PEOPLE = element("t:RequiredAttendees", element("t:Attendee"))


@pytest.mark.parametrize(
    ("change", "action"),
    [
        (Change("calendar:RequiredAttendees", PEOPLE), "SetItemField"),
        (Change("calendar:RequiredAttendees", PEOPLE, append=True), "AppendToItemField"),
        (Change("calendar:RequiredAttendees"), "DeleteItemField"),
    ],
)
def test_a_change_sets_appends_or_deletes_one_field(change: Change, action: str) -> None:
    rendered = change.render()
    assert etree.QName(rendered).localname == action
    assert rendered[0].get("FieldURI") == "calendar:RequiredAttendees"
    assert len(rendered) == (1 if change.value is None else 2)


def test_an_extended_property_has_a_path_of_its_own() -> None:
    path = path_of(f"{EXTENDED}String 0x3001")
    assert etree.QName(path).localname == "ExtendedFieldURI"
    assert dict(path.attrib) == {"PropertyTag": "0x3001", "PropertyType": "String"}
