import json
from typing import Any

import pytest

from tests.workers.graph.wire import ANNA, EVENT, Wire, exchange
from workers.event.agreement import agrees
from workers.event.properties import EXTENDED
from workers.exchange import MARKER_ID, Patch, Refused
from workers.graph.extended_property import expand, ids, read, written

GUID = "00020329-0000-0000-C000-000000000046"
COLOUR = f"String {{{GUID}}} Name Colour"
ROOM = "Integer {00062002-0000-0000-c000-000000000046} Id 0x8233"


@pytest.mark.parametrize(
    "identifier", ["", "Colour", "String Colour", "String {1} Name x", "String 0x", "String {} Id 1"]
)
def test_what_is_no_id_is_refused_by_name(identifier: str) -> None:
    with pytest.raises(Refused, match="singleValueExtendedProperties/"):
        expand([identifier])


def test_a_quote_in_a_name_cannot_end_the_filter() -> None:
    assert expand([COLOUR + "' or id ne '"]).endswith(f"or id eq '{COLOUR}'' or id ne ''')")


def test_the_marker_is_asked_for_in_the_same_breath_and_never_twice() -> None:
    assert expand([]) == f"singleValueExtendedProperties($filter=id eq '{MARKER_ID}')"
    assert expand([COLOUR]) == f"singleValueExtendedProperties($filter=id eq '{MARKER_ID}' or id eq '{COLOUR}')"
    assert expand([MARKER_ID.upper().replace("NAME RENDEZVOUS-UPDATES", "Name rendezvous-updates")]).count(" or ") == 0


def test_a_change_and_the_marker_go_together() -> None:
    assert written({EXTENDED + COLOUR: "red", EXTENDED + ROOM: None, "subject": "x"}, ("upd_1",)) == [
        {"id": ROOM, "value": None},
        {"id": COLOUR, "value": "red"},
        {"id": MARKER_ID, "value": "upd_1"},
    ]


@pytest.mark.parametrize(("identifier", "value"), [(MARKER_ID, "x"), (COLOUR, 7), (COLOUR, ["a"]), ("Colour", "x")])
def test_what_cannot_be_written_is_refused_by_name(identifier: str, value: Any) -> None:
    with pytest.raises(Refused, match="singleValueExtendedProperties/"):
        written({EXTENDED + identifier: value}, ())


def test_a_foreign_id_in_an_answer_does_no_harm() -> None:
    assert read({"singleValueExtendedProperties": [{"id": "Odd", "value": "x"}]}) == {}
    assert ids(["subject", EXTENDED + COLOUR]) == (COLOUR,)


def told(**values: str | None) -> Any:
    """An answer in which Exchange spells the ids its own way."""
    properties = [{"id": COLOUR.lower().replace("colour", "Colour"), "value": value} for value in values.values()]
    return EVENT | {"singleValueExtendedProperties": properties}


def test_it_is_read_under_the_name_that_was_asked_for() -> None:
    graph = exchange(Wire(told(colour="red"), EVENT))
    assert graph.read(ANNA, [EXTENDED + COLOUR]).properties == {EXTENDED + COLOUR: "red"}
    assert graph.read(ANNA, [EXTENDED + COLOUR]).properties == {EXTENDED + COLOUR: None}


def test_a_write_is_looked_at_afterwards_because_a_patch_does_not_echo_it() -> None:
    wire = Wire(told(colour="red"), EVENT, told(colour="blue"))
    graph = exchange(wire)
    event = graph.read(ANNA, [EXTENDED + COLOUR, "subject"])
    after = graph.write(ANNA, event, Patch({EXTENDED + COLOUR: "blue", "subject": "new"}, "sendToNone", ("upd_2",)))
    assert [request.method for request in wire.seen] == ["GET", "PATCH", "GET"]
    assert json.loads(wire.seen[1].content) == {
        "subject": "new",
        "singleValueExtendedProperties": [{"id": COLOUR, "value": "blue"}, {"id": MARKER_ID, "value": "upd_2"}],
    }
    assert after.event is not None
    assert agrees(EXTENDED + COLOUR, after.event.properties[EXTENDED + COLOUR], "blue")
