from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.schema.asked import AskedTarget
from workers.configuration import ConfigurationError, load
from workers.mapping import Mapper, MappingError

TABLE: dict[str, Any] = {
    "target": {"mailbox": "requester.email", "event": "fields.exchange_id", "backend": "'hq'"},
    "set": {"subject": "join(' ', ['Moved:', title])", "start": "when.start", "isAllDay": True},
    "append": {"attendees": "watchers[].{emailAddress: {address: @}}"},
    "clear": ["'location'", "also"],
    "maxRecipients": 20,
}
TICKET: dict[str, Any] = {
    "requester": {"email": "anna@hq.example"},
    "fields": {"exchange_id": "AAMk"},
    "title": "Review",
    "watchers": ["bob@hq.example"],
}


def update(table: dict[str, Any], document: Any) -> dict[str, Any]:
    return Mapper(table).apply(document).update


def test_a_ticket_becomes_an_update() -> None:
    assert update(TABLE, TICKET) == {
        "target": {"mailbox": "anna@hq.example", "event": "AAMk", "backend": "hq"},
        "set": {"subject": "Moved: Review", "isAllDay": True},
        "append": {"attendees": [{"emailAddress": {"address": "bob@hq.example"}}]},
        "clear": ["location"],
        "maxRecipients": 20,
    }


@pytest.mark.parametrize("operation", ["set", "append", "remove", "expect"])
def test_a_property_that_no_event_has_is_named_at_the_start(operation: str) -> None:
    with pytest.raises(MappingError, match=f"^{operation}.subjet: an event has no such property$"):
        Mapper({operation: {"subject": "title", "subjet": "title"}})


def test_a_field_that_no_target_has_is_named_at_the_start() -> None:
    with pytest.raises(MappingError, match=r"^target\.mailboxx: a target has no such field$"):
        Mapper({"target": {"mailboxx": "who", "event": "id"}})


def test_a_mapping_may_name_whatever_a_target_has() -> None:
    fields = [field.alias or name for name, field in AskedTarget.model_fields.items()]
    assert Mapper({"target": dict.fromkeys(fields, "x")})


def test_an_expression_that_gives_null_leaves_its_field_out() -> None:
    assert update({"set": {"subject": "no.such", "start": "when"}}, {"when": "x"}) == {"set": {"start": "x"}}


def test_a_table_of_which_nothing_is_left_is_left_out() -> None:
    assert update({"target": {"event": "id", "occurrence": {"index": "nix"}}}, {"id": "x"}) == {
        "target": {"event": "x"}
    }
    assert update({"set": {"subject": "nix"}, "clear": ["nix"]}, {}) == {}


@pytest.mark.parametrize("value", [False, 0, "", [], {}])
def test_what_is_empty_is_not_null(value: Any) -> None:
    assert update({"metadata": {"x": "x"}}, {"x": value}) == {"metadata": {"x": value}}


def test_every_value_is_traced_to_its_expression() -> None:
    sources = Mapper(TABLE).apply(TICKET).sources
    assert sources["set", "subject"] == "join(' ', ['Moved:', title])"
    assert sources["set", "start"] == "when.start"
    assert sources["clear", 0] == "'location'"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"set": {"subject": "title["}}, "set.subject: .*'title\\['"),
        ({"set": {"subject": ""}}, "set.subject: .*empty"),
        ({"set": {"start": {"dateTime": "a b"}}}, "set.start.dateTime: .*'a b'"),
        ({"set": {"subject": "upper(title)"}}, r"set.subject: there is no function upper\(\)"),
        ({"set": {"subject": "people[?upper(@) == 'x']"}}, r"set.subject: there is no function upper\(\)"),
        ({"set": {"subject": "join(', ')"}}, r"set.subject: join\(\) takes 2 argument"),
        ({"set": {"subject": "join(', ', a, b)"}}, r"set.subject: join\(\) takes 2 argument"),
        ({"set": {"subject": "not_null()"}}, r"set.subject: not_null\(\) takes at least 1 argument"),
        ({"clear": ["'x'", None]}, "clear.1: write an expression"),
        ({"sett": {}}, "sett: an update has no such field"),
    ],
)
def test_a_table_that_is_no_mapping_is_refused_in_one_line(table: dict[str, Any], said: str) -> None:
    with pytest.raises(MappingError, match=f"^{said}") as refused:
        Mapper(table)
    assert "\n" not in str(refused.value)


def test_an_expression_that_fails_names_itself_and_the_value() -> None:
    with pytest.raises(MappingError, match=r"join\(' ', \['Moved:', title\]\).* fails on 5") as refused:
        update(TABLE, {**TICKET, "title": 5})
    assert refused.value.path == ("set", "subject")


def test_what_jmespath_itself_does_not_foresee_is_a_failure_like_any_other() -> None:
    with pytest.raises(MappingError, match="OverflowError"):
        update({"maxRecipients": "ceil(to_number('1e999'))"}, {})


def test_a_long_value_is_cut() -> None:
    with pytest.raises(MappingError) as refused:
        update({"set": {"subject": "join('', x)"}}, {"x": "y" * 10_000})
    assert len(str(refused.value)) < 400


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)
_expressions = st.sampled_from(
    ["a.b", "a[0]", "a[*].b", "a[?b > c]", "sort(a)", "sort_by(a, &b)", "avg(a)", "max_by(@, &a)", "join(a, b)",
     "ceil(a)", "to_number(a)", "merge(a, b)", "sum(a)", "reverse(a)", "a[::2]", "{x: a, y: [b, c]}", "length(a)",
     "map(&b, a)"]
)  # fmt: skip


@given(_expressions, _json)
def test_any_document_is_mapped_or_refused(expression: str, document: Any) -> None:
    try:
        update({"set": {"subject": expression}}, document)
    except MappingError as error:
        assert expression in str(error)


CONFIGURATION = """
[[backend]]
name = "hq"
kind = "ews"
url = "https://mail.hq.example/EWS/Exchange.asmx"
auth = "basic"
username_env = "HQ"
password_env = "HQ"
mailboxes = ["*@hq.example"]

[[client]]
name = "tickets"
[client.mapping]
target = { mailbox = "requester.email", event = "fields.exchange_id" }
set = { subject = "SUBJECT", start = { dateTime = "when", timeZone = "'UTC'" } }
"""


def configured(folder: Path, subject: str) -> Mapper | None:
    file = folder / "rendezvous.toml"
    file.write_text(CONFIGURATION.replace("SUBJECT", subject))
    return load({"RENDEZVOUS_CONFIG": str(file), "HQ": "x"}).clients["tickets"].mapper


def test_a_mapping_stands_in_the_configuration(tmp_path: Path) -> None:
    mapper = configured(tmp_path, "title")
    assert mapper is not None
    assert mapper.apply({"title": "Moved", "when": "x"}).update == {
        "set": {"subject": "Moved", "start": {"dateTime": "x", "timeZone": "UTC"}}
    }


def test_a_bad_expression_in_the_configuration_names_client_and_key_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"the mapping of tickets: set.subject: .*'title\['") as refused:
        configured(tmp_path, "title[")
    assert "\n" not in str(refused.value)
