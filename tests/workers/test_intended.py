"""What an event tells of a write that was intended; the rest of it is in test_attempt."""

from __future__ import annotations

from dataclasses import replace

from workers.exchange import Event, Written
from workers.intended import Intended
from workers.outcome import Succeeded

STOOD = Event("E", "v1", False, (), {"subject": "Before"})
STANDS = replace(STOOD, version="v2", properties={"subject": "After"})
INTENDED = Intended(STOOD.properties, STOOD.properties, STANDS.properties, "sendToNone", "v1", 0, "")


def applied(written: Written) -> Succeeded:
    outcome = INTENDED.applied(INTENDED.after, STOOD, written, "graph", in_doubt=False)
    assert isinstance(outcome, Succeeded), outcome
    return outcome


def test_what_a_person_should_know_about_a_write_is_told_with_its_result() -> None:
    outcome = applied(Written("v2", STANDS, "r-1", ("The meeting has lost its link.",)))
    assert outcome.request_id == "r-1"
    assert outcome.result is not None
    assert outcome.result.notices == ("The meeting has lost its link.",)


def test_a_write_whose_version_is_not_told_replaces_none_that_is_known() -> None:
    assert applied(Written("v2", None, None)).wrote is not None
    assert applied(Written("", None, None)).wrote is None
