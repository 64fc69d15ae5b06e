from __future__ import annotations

from typing import Any

import pytest

from tests.webhooks.conftest import Caller
from tests.webhooks.given import TARGET, asked, is_problem, with_set
from webhooks.schema import Asked, read
from workers.exchange import MARKER_GUID

ID = "String {00020329-0000-0000-C000-000000000046} Name cecp-ticket"


def test_each_extended_property_and_extension_is_a_property_of_its_own() -> None:
    body = with_set(
        singleValueExtendedProperties=[{"id": ID, "value": "4711"}, {"id": "Integer 0x3001", "value": None}],
        extensions={"com.contoso.hr": {"ticket": 4711}, "com.contoso.old": None},
    )
    assert asked(body).intent.set == {
        f"singleValueExtendedProperties/{ID}": "4711",
        "singleValueExtendedProperties/Integer 0x3001": None,
        "extensions/com.contoso.hr": {"ticket": 4711},
        "extensions/com.contoso.old": None,
    }


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"singleValueExtendedProperties": [{"id": "Ticket", "value": "x"}]},
         "/set/singleValueExtendedProperties/0/id"),
        ({"singleValueExtendedProperties": [{"id": f"String {{{MARKER_GUID}}} Name rendezvous-updates", "value": "x"}]},
         "/set/singleValueExtendedProperties/0/id"),
        ({"singleValueExtendedProperties": [{"id": ID}]}, "/set/singleValueExtendedProperties/0/value"),
        ({"singleValueExtendedProperties": [{"id": ID, "value": "1"}, {"id": ID, "value": "1"}]},
         "/set/singleValueExtendedProperties/1/id"),
        ({"singleValueExtendedProperties": [{"id": ID, "value": "1"}, {"id": ID.replace("C0", "c0"), "value": "2"}]},
         "/set/singleValueExtendedProperties/1/id"),
        ({"singleValueExtendedProperties": [{"id": "Integer 0x3001", "value": "1"},
                                            {"id": "Integer 0x03001", "value": None}]},
         "/set/singleValueExtendedProperties/1/id"),
        ({"singleValueExtendedProperties": [{"id": ID, "value": 5}]}, "/set/singleValueExtendedProperties/0/value"),
        ({"extensions": {"com.contoso.x": {"@odata.type": "x"}}}, "/set/extensions/com.contoso.x"),
        ({"extensions": {"com.contoso.x": {"a@odata.type": "x"}}}, "/set/extensions/com.contoso.x"),
        ({"extensions": {"com.contoso.x": {"a": "y" * 3000}}}, "/set/extensions/com.contoso.x"),
        ({"extensions": {"com.contoso.x": "text"}}, "/set/extensions/com.contoso.x"),
        ({"extensions": {"1bad": {"a": 1}}}, "/set/extensions/1bad"),
        ({"extensions": {f"com.contoso.x{number}": None for number in range(21)}}, "/set/extensions"),
        ({"extensions": {"1bad": None}}, "/set/extensions/1bad"),
        ({"extensions": {"a/b": {"a": 1}}}, "/set/extensions/a~1b"),
        ({"extensions": {"[key]": {"a": 1}}}, "/set/extensions/[key]"),
        ({"[key]": "[key]"}, "/set/[key]"),
    ],
)  # fmt: skip
def test_extended_data_that_is_wrong_names_its_field(hr: Caller, values: dict[str, Any], pointer: str) -> None:
    assert is_problem(hr.ask(with_set(**values)), 422, "validation", pointer)


def test_two_names_that_differ_in_case_are_two_properties() -> None:
    both = [{"id": ID, "value": "1"}, {"id": ID.replace("ticket", "Ticket"), "value": "2"}]
    assert len(asked(with_set(singleValueExtendedProperties=both)).intent.set) == 2


@pytest.mark.parametrize(("letters", "taken"), [(1020, True), (1021, False)])
def test_letters_of_every_script_count_in_an_extension_as_they_are_sent(letters: int, taken: bool) -> None:
    body = with_set(extensions={"com.contoso.x": {"a": "ж" * letters}})  # {"a":"…"} and two bytes for each
    assert isinstance(read(body), Asked) is taken


def test_an_extension_is_refused_where_there_is_no_graph(hr: Caller) -> None:
    target = {**TARGET, "mailbox": "otto@hq.example"}
    body = {"target": target, "set": {"extensions": {"com.contoso.x": {"a": 1}}}}
    assert is_problem(hr.ask(body), 422, "validation", "/set/extensions/com.contoso.x")
    assert (
        hr.ask({"target": target, "set": {"singleValueExtendedProperties": [{"id": ID, "value": "x"}]}}).status_code
        == 202
    )


def test_the_name_of_an_extension_is_refused_in_our_words(hr: Caller) -> None:
    response = hr.ask(with_set(extensions={"1bad": {"a": 1}}))
    [error] = response.get_json()["errors"]
    assert error["detail"].startswith("must be named like com.contoso.x: ")
