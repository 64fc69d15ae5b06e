from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from workers.event.agreement import agrees
from workers.ews.attendees import COLLECTIONS, read, write
from workers.ews.change import Change, tag
from workers.ews.soap import element, find, parse, text_of


def person(address: str | None, kind: str = "required", name: str | None = None) -> Any:
    return {"type": kind, "emailAddress": {"address": address, "name": name}}


def item(*members: tuple[str, str, str, str]) -> etree._Element:
    """A CalendarItem with (collection, name, address, response) members."""
    collections: dict[str, etree._Element] = {}
    for collection, name, address, response in members:
        mailbox = element("t:Mailbox", element("t:Name", name), element("t:EmailAddress", address))
        attendee = element("t:Attendee", mailbox, element("t:ResponseType", response))
        collections.setdefault(collection, element(f"t:{collection}")).append(attendee)
    return element("t:CalendarItem", *collections.values())


def test_the_three_collections_are_one_list_with_types_names_and_answers() -> None:
    read_back = read(
        item(
            ("RequiredAttendees", "Alisa", "alisa@contoso.com", "Accept"),
            ("OptionalAttendees", "Bob", "bob@contoso.com", "Tentative"),
            ("Resources", "Projector", "dlp@contoso.com", "NoResponseReceived"),
        )
    )
    assert [(a["type"], a["emailAddress"], a["status"]["response"]) for a in read_back] == [
        ("required", {"address": "alisa@contoso.com", "name": "Alisa"}, "accepted"),
        ("optional", {"address": "bob@contoso.com", "name": "Bob"}, "tentativelyAccepted"),
        ("resource", {"address": "dlp@contoso.com", "name": "Projector"}, "notResponded"),
    ]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("Unknown", "none"),
        ("Organizer", "organizer"),
        ("Tentative", "tentativelyAccepted"),
        ("Accept", "accepted"),
        ("Decline", "declined"),
        ("NoResponseReceived", "notResponded"),
    ],
)
def test_an_answer_is_graphs_word(theirs: str, ours: str) -> None:
    (found,) = read(item(("RequiredAttendees", "A", "a@contoso.com", theirs)))
    assert found["status"] == {"response": ours, "time": None}


def test_when_somebody_answered_is_kept() -> None:
    mailbox = element("t:Mailbox", element("t:EmailAddress", "a@contoso.com"))
    answered = element("t:LastResponseTime", "2026-11-21T08:00:00Z")
    found = read(element("t:CalendarItem", element("t:Resources", element("t:Attendee", mailbox, answered))))
    assert found[0]["status"]["time"] == "2026-11-21T08:00:00Z"


def addresses(change: Change) -> list[str | None]:
    assert change.value is not None
    return [text_of(member, "t:Mailbox/t:EmailAddress") for member in change.value]


def test_only_a_collection_that_differs_is_sent() -> None:
    before = [person("a@contoso.com", name="Anna"), person("b@contoso.com", "optional"), person("r@x.com", "resource")]
    (change,) = write([*before, person("c@contoso.com", name="Carl")], before)
    assert change.uri == "calendar:RequiredAttendees"


def test_somebody_who_joins_is_sent_with_those_who_are_there() -> None:
    before = [person("a@contoso.com"), person("b@contoso.com")]
    (change,) = write([*before, person("c@contoso.com")], before)
    assert (change.append, addresses(change)) == (False, ["a@contoso.com", "b@contoso.com", "c@contoso.com"])


def test_the_first_of_a_collection_is_set() -> None:
    (change,) = write([person("a@contoso.com")], [])
    assert (change.append, addresses(change)) == (False, ["a@contoso.com"])


def test_where_somebody_leaves_the_collection_is_sent_as_a_whole() -> None:
    before = [person("a@contoso.com"), person("b@contoso.com")]
    (change,) = write([person("a@contoso.com"), person("c@contoso.com")], before)
    assert (change.append, addresses(change)) == (False, ["a@contoso.com", "c@contoso.com"])


@pytest.mark.parametrize("answer", ["Tentative", "Accept", "Decline", "NoResponseReceived"])
def test_somebody_who_stays_keeps_the_answer(answer: str) -> None:
    mailbox = element("t:Mailbox", element("t:EmailAddress", "a@contoso.com"))
    answered = element("t:LastResponseTime", "2026-11-21T08:00:00Z")
    a = element("t:Attendee", mailbox, element("t:ResponseType", answer), answered)
    b = element("t:Attendee", element("t:Mailbox", element("t:EmailAddress", "b@contoso.com")))
    before = read(element("t:CalendarItem", element("t:RequiredAttendees", a, b)))
    (change,) = write([person("A@contoso.com", "optional"), person("b@contoso.com")], before)[1:]
    assert change.value is not None
    assert text_of(change.value, "t:Attendee/t:ResponseType") == answer
    assert text_of(change.value, "t:Attendee/t:LastResponseTime") == "2026-11-21T08:00:00Z"


def test_nothing_is_sent_when_only_order_case_or_answers_differ() -> None:
    before = [person("a@contoso.com"), person("b@contoso.com")]
    after = [person("B@contoso.com") | {"status": {"response": "accepted"}}, person("A@contoso.com")]
    assert write(after, before) == []


def test_a_collection_that_becomes_empty_is_unset() -> None:
    (change,) = write([], [person("a@contoso.com", "optional")])
    assert (change.uri, change.value) == ("calendar:OptionalAttendees", None)


def test_somebody_who_becomes_optional_leaves_the_required() -> None:
    before = [person("a@contoso.com"), person("b@contoso.com")]
    changes = write([person("a@contoso.com"), person("b@contoso.com", "optional")], before)
    assert [change.uri for change in changes] == ["calendar:RequiredAttendees", "calendar:OptionalAttendees"]


def test_without_knowing_what_was_there_all_three_are_sent() -> None:
    changes = write([person("a@contoso.com")], None)
    assert [change.uri for change in changes] == list(COLLECTIONS.values())
    assert [change.value is None for change in changes] == [False, True, True]


def test_a_member_that_is_there_keeps_its_name() -> None:
    before = [person("a@contoso.com", name="Anna Berg"), person("c@contoso.com")]
    (change,) = write([person("A@contoso.com", name="anna"), person("b@contoso.com", name="Bob")], before)
    assert change.value is not None
    assert [text_of(member, "t:Mailbox/t:Name") for member in change.value] == ["Anna Berg", "Bob"]


def test_a_member_without_a_type_is_required() -> None:
    (change,) = write([{"emailAddress": {"address": "a@contoso.com"}}], [])
    assert change.uri == "calendar:RequiredAttendees"


def test_somebody_named_twice_is_sent_once() -> None:
    (change,) = write([person("a@contoso.com"), person("A@contoso.com")], [])
    assert change.value is not None and len(change.value) == 1


@pytest.mark.parametrize(
    ("address", "routing"),
    [
        ("a@contoso.com", "SMTP"),
        ("/o=First Organization/ou=Exchange/cn=Recipients/cn=anna", "EX"),
        ("/O=FIRST ORGANIZATION/OU=EXCHANGE/CN=RECIPIENTS/CN=ANNA", "EX"),
    ],
)
def test_an_address_keeps_its_routing_type(address: str, routing: str) -> None:
    (change,) = write([person(address)], [])
    assert change.value is not None
    assert text_of(change.value, "t:Attendee/t:Mailbox/t:RoutingType") == routing


@pytest.mark.parametrize(
    ("routing", "address"), [("NOTES", "John Doe/Acme@ACME"), ("FAX", "+49 30 1234"), ("EX", "a@b")]
)
def test_who_is_reached_by_other_means_than_mail_stays_so_when_somebody_joins(routing: str, address: str) -> None:
    there = item(("RequiredAttendees", "John", address, "Accept"))
    there[0][0][0].append(element("t:RoutingType", routing))
    stands = read(there)
    (change,) = write([*stands, person("new@contoso.com")], stands)
    assert change.value is not None
    assert [found.text for found in change.value.iter("{*}RoutingType")] == [routing, "SMTP"]


def test_how_mail_is_routed_says_nothing_that_its_address_does_not() -> None:
    there = item(("RequiredAttendees", "A", "a@contoso.com", "Accept"))
    there[0][0][0].append(element("t:RoutingType", "SMTP"))
    assert read(there)[0]["emailAddress"] == {"address": "a@contoso.com", "name": "A"}


def test_a_personal_list_is_left_alone_where_its_collection_does_not_change() -> None:
    before = [person(None, "optional", "My friends")]
    changes = write([*before, person("a@contoso.com")], before)
    assert [change.uri for change in changes] == ["calendar:RequiredAttendees"]


def test_a_personal_list_stays_where_somebody_joins_it() -> None:
    before = [person(None, "optional", "My friends")]
    (change,) = write([*before, person("a@contoso.com", "optional")], before)
    assert (change.append, addresses(change)) == (True, ["a@contoso.com"])


def test_a_personal_list_is_not_dropped_where_somebody_else_leaves() -> None:
    friends = person(None, "optional", "My friends")
    with pytest.raises(ValueError, match="My friends"):
        write([friends], [friends, person("a@contoso.com", "optional")])


people = st.lists(
    st.builds(
        person,
        st.sampled_from([f"p{number}@contoso.com" for number in range(6)]),
        st.sampled_from(sorted(COLLECTIONS)),
        st.none() | st.sampled_from(["Anna", "Bob"]),
    ),
    max_size=8,
    unique_by=lambda member: member["emailAddress"]["address"],
)


@given(before=people, after=people)
def test_the_changes_make_the_list_that_was_asked_for(before: Any, after: Any) -> None:
    stands = element("t:CalendarItem")
    for change in write(before, None):
        if change.value is not None:
            stands.append(change.value)
    for change in write(after, read(stands)):
        old = find(stands, tag(change.uri))
        if change.append:
            assert old is not None and change.value is not None
            old.extend(change.value)
            continue
        if old is not None:
            stands.remove(old)
        if change.value is not None:
            stands.append(change.value)
    assert agrees("attendees", read(parse(etree.tostring(stands))), after)
