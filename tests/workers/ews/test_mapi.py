from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.event.mapi_ids import KINDS, PropertyId
from workers.ews.mapi import SETS, SPELLINGS, addressed, attributes, checked, parse, spelled

GUID = "8f9c2d5e-6c1b-4f0a-9d3b-5a7e1c0b4d26"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "an id is like"),
        ("String", "an id is like"),
        ("String x", "an id is like"),
        (f"String {{{GUID}}}", "an id is like"),
        ("String {no-guid} Name x", "an id is like"),
        (f"Object {{{GUID}}} Name x", "neither read nor written"),
        ("Null 0x3001", "neither read nor written"),
        ("Error 0x3001", "neither read nor written"),
        (f"StringArray {{{GUID}}} Name x", "many values"),
        (f"ObjectArray {{{GUID}}} Name x", "many values"),
        (f"Text {{{GUID}}} Name x", "none of the types"),
        ("String 0x8000", "custom property"),
        ("String 0x3001001F", "no property tag"),
        (f"Integer {{{GUID}}} Id 0xFFFFFFFF", "beyond"),
    ],
)
def test_what_names_no_usable_property_is_refused_with_a_sentence(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"String {{{GUID}}} Name x", {"PropertySetId": GUID, "PropertyName": "x", "PropertyType": "String"}),
        (
            "Integer {00062002-0000-0000-C000-000000000046} Id 0x8213",
            {"DistinguishedPropertySetId": "Appointment", "PropertyId": "33299", "PropertyType": "Integer"},
        ),
        (
            "String {00020329-0000-0000-c000-000000000046} Name x",
            {"DistinguishedPropertySetId": "PublicStrings", "PropertyName": "x", "PropertyType": "String"},
        ),
        ("Binary 0x39", {"PropertyTag": "0x0039", "PropertyType": "Binary"}),
    ],
)
def test_every_kind_of_path_is_spelled_as_exchange_does(text: str, expected: dict[str, str]) -> None:
    assert attributes(parse(text)) == expected


guids = st.sampled_from(sorted(SETS)) | st.uuids().map(str)
names = st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=20)
properties = st.one_of(
    st.builds(PropertyId, st.sampled_from(sorted(SPELLINGS)), guids, names),
    st.builds(PropertyId, st.sampled_from(sorted(SPELLINGS)), guids, number=st.integers(0, (1 << 31) - 1)),
    st.builds(PropertyId, st.sampled_from(sorted(SPELLINGS)), tag=st.integers(1, 0x7FFF)),
)


@given(properties)
def test_a_path_leads_back_to_its_property(prop: PropertyId) -> None:
    assert addressed(attributes(prop)) == prop


@given(properties)
def test_exchange_may_name_a_set_or_give_its_guid(prop: PropertyId) -> None:
    by = attributes(prop)
    if "DistinguishedPropertySetId" in by:
        del by["DistinguishedPropertySetId"]
        by["PropertySetId"] = prop.guid.upper()
    assert addressed(by) == prop


def test_exchange_may_name_a_set_that_the_oldest_schema_does_not_have() -> None:
    prop = parse("String {00062040-0000-0000-C000-000000000046} Id 0x5")
    assert addressed({"DistinguishedPropertySetId": "Sharing", "PropertyId": "5", "PropertyType": "String"}) == prop


@pytest.mark.parametrize(
    "by", [{}, {"PropertyType": "String"}, {"DistinguishedPropertySetId": "Unheard"}, {"PropertyTag": "x"}]
)
def test_a_path_that_leads_nowhere_is_no_property(by: dict[str, str]) -> None:
    assert addressed(by) is None


FINE = [
    ("ApplicationTime", "46000.5"),
    ("Binary", "AAEC"),
    ("Binary", ""),
    ("Boolean", "true"),
    ("Boolean", "false"),
    ("CLSID", GUID),
    ("Currency", "-9223372036854775808"),
    ("Double", "1.5"),
    ("Double", "-3"),
    ("Float", "0.25"),
    ("Integer", "2147483647"),
    ("Long", "9223372036854775807"),
    ("Short", "-32768"),
    ("String", " any ✓ text "),
    ("String", ""),
    ("SystemTime", "2026-12-01T09:00:00Z"),
]


@pytest.mark.parametrize(("kind", "text"), FINE)
def test_a_value_of_its_type_is_taken_and_given_back_as_it_is(kind: str, text: str) -> None:
    assert checked(kind, text) == text
    assert spelled(kind, text) == text


def test_every_type_has_a_value() -> None:
    assert {kind for kind, _ in FINE} == SPELLINGS.keys() == {*KINDS}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("Integer", 7),
        ("Boolean", True),
        ("Integer", "x"),
        ("Integer", "2147483648"),
        ("Short", "40000"),
        ("Long", "9223372036854775808"),
        ("Currency", "1.5"),
        ("Double", "NaN"),
        ("Double", "inf"),
        ("Float", "1e300"),
        ("Boolean", "yes"),
        ("CLSID", "x"),
        ("Binary", "not base64!"),
        ("SystemTime", "2026-12-01T09:00:00"),
        ("SystemTime", "soon"),
    ],
)
def test_a_value_of_another_type_is_refused(kind: str, value: object) -> None:
    with pytest.raises(ValueError):
        checked(kind, value)


@pytest.mark.parametrize(
    ("kind", "text", "spelling"),
    [
        ("Boolean", "True", "true"),
        ("Boolean", "1", "true"),
        ("Integer", "+7", "7"),
        ("Integer", "007", "7"),
        ("Double", "1.0", "1"),
        ("CLSID", GUID.upper(), GUID),
        ("CLSID", f"{{{GUID}}}", GUID),
        ("SystemTime", "2026-12-01T10:00:00+01:00", "2026-12-01T09:00:00Z"),
        ("SystemTime", "2026-12-01T09:00:00.000Z", "2026-12-01T09:00:00Z"),
    ],
)
def test_there_is_one_spelling_of_a_value(kind: str, text: str, spelling: str) -> None:
    assert spelled(kind, text) == spelling
    with pytest.raises(ValueError, match="spelled"):
        checked(kind, text)


def test_what_exchange_tells_is_kept_even_where_it_is_no_value() -> None:
    assert spelled("Integer", "many") == "many"
