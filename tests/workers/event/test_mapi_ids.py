from __future__ import annotations

import pytest

from workers.event.mapi_ids import PropertyId, parse

GUID = "00020329-0000-0000-c000-000000000046"
COLOUR = f"String {{{GUID.upper()}}} Name Colour"
ROOM = "Integer {00062002-0000-0000-c000-000000000046} Id 0x8233"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"String {{{GUID}}} Name x", PropertyId("String", GUID, name="x")),
        (f"string {{{GUID.upper()}}} name A b ", PropertyId("String", GUID, name="A b")),
        (f"Integer {{{GUID}}} Id 0x8233", PropertyId("Integer", GUID, number=0x8233)),
        (f"Boolean {{{GUID}}} Id 33331", PropertyId("Boolean", GUID, number=33331)),
        ("String 0x3001", PropertyId("String", tag=0x3001)),
        ("SystemTime 0x0039", PropertyId("SystemTime", tag=0x39)),
    ],
)
def test_an_id_names_a_property(text: str, expected: PropertyId) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (COLOUR, f"string {{{GUID.lower()}}} name Colour"),
        (ROOM, "Integer {00062002-0000-0000-C000-000000000046} Id 33331"),
        (ROOM, "Integer {00062002-0000-0000-C000-000000000046}  Id 0x00008233"),
        ("String 0x1035", "string 0x00001035"),
        ("String 0x1035", "String 4149"),
    ],
)
def test_an_id_is_the_same_however_exchange_spells_it(one: str, other: str) -> None:
    assert parse(one) == parse(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (COLOUR, COLOUR.replace("Colour", "colour")),
        (COLOUR, COLOUR.replace("Colour", "Colour  x")),
        (ROOM, ROOM.replace("0x8233", "0x8234")),
        (ROOM, ROOM.replace("Integer", "Long")),
        ("String 0x1035", "String 0x1036"),
    ],
)
def test_another_id_is_another_property(one: str, other: str) -> None:
    assert parse(one) != parse(other)


@pytest.mark.parametrize(
    "text", ["", "Colour", "String Colour", "String {1} Name x", "String 0x", "String {} Id 1", f"String {{{GUID}}}"]
)
def test_what_is_no_id_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="an id is like"):
        parse(text)
