"""One attempt at an update, against an Exchange that behaves in every way we know of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.workers.events import an_event, at, attendee
from tests.workers.fake_exchange import FakeExchange, Fault
from tests.workers.given import an_update
from workers.attempt import ROUNDS, FailedInDoubt, LeaseLost, Surroundings, attempt
from workers.event.properties import EXTENSION
from workers.event.versions import Wrote
from workers.exchange import MARKER_LENGTH, AccessDenied, NotFound, Refused, Throttled, Unavailable
from workers.intended import Intended
from workers.job import Clash, Result
from workers.outcome import Dead, Outcome, Retry, Succeeded
from workers.retry import Patience
from workers.update import BackendKind, ConflictResolution, Intent, Json, Target, Update

MOVED = Intent(set={"subject": "Moved"})


@dataclass
class Desk:
    """Attempts one after the other at one update, with what is recorded in between."""

    exchange: FakeExchange
    update: Update
    kind: BackendKind = "ews"
    remaining: timedelta = timedelta(days=1)
    lease: bool = True
    past: Intended | None = None
    in_doubt: bool = False
    attempts: int = 0
    quiet: timedelta = timedelta()
    pauses: list[int] = field(default_factory=list)
    paused: list[timedelta] = field(default_factory=list)
    wrote: list[Wrote] = field(default_factory=list)

    def run(self) -> Outcome:
        around = Surroundings(
            exchange=self.exchange,
            kind=self.kind,
            intend=self.intend,
            wrote=lambda: self.wrote,
            pause=self.pauses.append,
            patience=self.patience,
            quiet=self.quiet,
        )
        outcome = attempt(self.update, self.past, self.in_doubt, self.attempts, around)
        self.attempts += 1
        self.in_doubt = isinstance(outcome, Retry) and outcome.in_doubt
        if isinstance(outcome, Retry) and outcome.intent:
            self.past = Intended.from_json(outcome.intent)
        return outcome

    def intend(self, intended: Intended) -> timedelta | None:
        if self.paused:
            return self.paused.pop()
        if self.lease:
            self.past, self.in_doubt = Intended.from_json(intended.to_json()), True
        return timedelta() if self.lease else None

    def patience(self) -> Patience:
        return Patience(timedelta(seconds=1), timedelta(minutes=5), self.remaining, 0.5)

    @property
    def applied(self) -> int:
        return len(self.exchange.by(self.update.id))


def a_desk(intent: Intent = MOVED, *faults: Fault, **changes: Any) -> Desk:
    exchange = FakeExchange(an_event())
    exchange.write_faults.extend(faults)
    return Desk(exchange, an_update(intent=intent, **changes))


def succeeded(outcome: Outcome) -> Result:
    assert isinstance(outcome, Succeeded), outcome
    assert outcome.result is not None
    return outcome.result


def dead(outcome: Outcome) -> tuple[str, str]:
    assert isinstance(outcome, Dead), outcome
    return outcome.failure.error_class, outcome.failure.code


def test_an_update_is_written_mailed_marked_and_verified() -> None:
    desk = a_desk()
    result = succeeded(desk.run())
    assert result == Result(
        "v2", False, {"subject": {"before": "Team building", "after": "Moved"}}, "sendToAllAndSaveCopy", verified=True,
        mails=2,
    )  # fmt: skip
    assert desk.exchange.properties["subject"] == "Moved"
    assert desk.exchange.marker == (desk.update.id,)
    assert desk.exchange.mails == 2


def test_an_end_that_is_only_written_along_with_the_start_is_not_told_as_changed() -> None:
    desk = a_desk(Intent(set={"start": at(8)}))
    assert succeeded(desk.run()).changed == {"start": {"before": at(9), "after": at(8)}}
    assert desk.exchange.writes[0].changes.keys() == {"start", "end"}


def test_the_intent_is_recorded_before_anything_is_sent() -> None:
    desk = a_desk()
    desk.exchange.between.append(lambda: recorded.append(desk.past))
    recorded: list[Intended | None] = []
    desk.run()
    assert recorded[0] is not None
    assert (recorded[0].before, recorded[0].after) == ({"subject": "Team building"}, {"subject": "Moved"})


def test_who_has_lost_the_lease_sends_nothing() -> None:
    desk = a_desk()
    desk.lease = False
    with pytest.raises(LeaseLost):
        desk.run()
    assert desk.exchange.writes == []


def test_what_stands_already_is_no_write_and_no_mail() -> None:
    desk = a_desk(Intent(set={"subject": "Team building"}))
    outcome = desk.run()
    assert succeeded(outcome) == Result("v1", noop=True)
    assert (desk.exchange.writes, desk.exchange.mails) == ([], 0)


def a_day(date: str, zone: str) -> Json:
    return {"dateTime": f"{date}T00:00:00", "timeZone": zone}


def days(first: str, last: str, zone: str) -> dict[str, Json]:
    return {"start": a_day(first, zone), "end": a_day(last, zone)}


PACIFIC, TOKYO = "Pacific Standard Time", "Tokyo Standard Time"


def an_all_day_desk(kind: BackendKind, zone: str, intent: Intent, **changes: Any) -> Desk:
    """It lasts the whole of 1 December, told in this zone."""
    desk = a_desk(intent, **changes)
    desk.kind, desk.exchange.properties = kind, an_event(isAllDay=True, **days("2026-12-01", "2026-12-02", zone))
    return desk


@pytest.mark.parametrize(
    ("kind", "stands", "asked"),
    [("graph", "UTC", PACIFIC), ("graph", PACIFIC, "UTC"), ("graph", PACIFIC, TOKYO), ("ews", PACIFIC, "UTC")],
)
def test_the_very_same_whole_days_are_no_write_no_mail_and_no_conflict(
    kind: BackendKind, stands: str, asked: str
) -> None:
    same = days("2026-12-01", "2026-12-02", asked)
    desk = an_all_day_desk(kind, stands, Intent(set={**same, "isAllDay": True}, expect=same))
    assert succeeded(desk.run()) == Result("v1", noop=True)
    moved = an_all_day_desk(kind, stands, Intent(set={"subject": "Moved"}, only_where=same, expect=same))
    assert list(succeeded(moved.run()).changed) == ["subject"]


@pytest.mark.parametrize(("kind", "stands", "asked"), [("graph", "UTC", PACIFIC), ("ews", PACIFIC, "UTC")])
def test_other_whole_days_are_written_in_the_zone_in_which_the_event_stands(
    kind: BackendKind, stands: str, asked: str
) -> None:
    desk = an_all_day_desk(kind, stands, Intent(set={"end": a_day("2026-12-03", asked)}))
    assert succeeded(desk.run()).verified
    assert desk.exchange.writes[0].changes == days("2026-12-01", "2026-12-03", stands)
    wrong = an_all_day_desk(kind, stands, Intent(set=MOVED.set, expect={"start": a_day("2026-12-02", asked)}))
    assert dead(wrong.run()) == ("conflict", "conflict")


@pytest.mark.parametrize("stands", ["UTC", PACIFIC])
def test_other_whole_days_go_to_graph_in_the_zone_that_is_asked_for_however_it_tells_them(stands: str) -> None:
    told, wanted = (days("2026-12-01", "2026-12-03", zone) for zone in (stands, TOKYO))
    desk = an_all_day_desk("graph", stands, Intent(set=wanted))
    desk.exchange.afterwards.append(lambda: desk.exchange.properties.update(told))
    assert succeeded(desk.run()).verified
    assert desk.exchange.writes[0].changes == wanted


def test_whole_days_whose_answer_was_lost_are_verified_however_graph_tells_them() -> None:
    desk = an_all_day_desk("graph", "UTC", Intent(set=days("2026-12-01", "2026-12-03", TOKYO)))
    desk.exchange.write_faults.append(Fault.LOST_AFTER)
    assert isinstance(desk.run(), Retry)
    desk.exchange.properties.update(days("2026-12-01", "2026-12-03", "UTC"))
    assert succeeded(desk.run()).verified


@pytest.mark.parametrize("stands", ["UTC", PACIFIC])
def test_whole_days_in_ews_go_to_the_zone_that_is_asked_for(stands: str) -> None:
    elsewhere = days("2026-12-01", "2026-12-02", TOKYO)
    desk = an_all_day_desk("ews", stands, Intent(set=elsewhere))
    assert succeeded(desk.run()).verified
    assert desk.exchange.writes[0].changes == elsewhere


def test_an_event_that_ends_to_last_whole_days_has_moments_again() -> None:
    times = days("2026-12-01", "2026-12-02", PACIFIC)
    desk = an_all_day_desk("graph", "UTC", Intent(set={"isAllDay": False, **times}))
    succeeded(desk.run())
    assert desk.exchange.writes[0].changes == {"isAllDay": False, **times}


def test_an_event_that_graph_makes_last_whole_days_is_verified_though_they_are_told_in_utc() -> None:
    midnights = days("2026-12-01", "2026-12-02", "UTC")
    desk = a_desk(Intent(set={"isAllDay": True, **days("2026-12-01", "2026-12-02", PACIFIC)}))
    desk.kind, desk.exchange.properties = "graph", an_event(**midnights)
    desk.exchange.afterwards.append(lambda: desk.exchange.properties.update(midnights))
    assert succeeded(desk.run()).verified


def test_the_marker_keeps_the_last_sixteen_updates() -> None:
    desk = a_desk()
    desk.exchange.marker = tuple(f"upd_{number}" for number in range(16))
    desk.run()
    assert desk.exchange.marker == (desk.update.id, *(f"upd_{number}" for number in range(15)))


@pytest.mark.parametrize("append", [{"subject": "!"}, {"attendees": [attendee("Cleo")]}])
def test_a_lost_answer_is_found_out_and_not_repeated(append: dict[str, Json]) -> None:
    desk = a_desk(Intent(append=append), Fault.LOST_AFTER)
    outcome = desk.run()
    assert isinstance(outcome, Retry)
    assert (outcome.error_class, outcome.in_doubt) == ("unknownOutcome", True)
    result = succeeded(desk.run())
    assert (desk.applied, result.noop, result.verified) == (1, False, True)
    assert result.changed.keys() == append.keys()


def test_a_lost_answer_is_found_out_though_somebody_changed_the_event_again() -> None:
    desk = a_desk(MOVED, Fault.LOST_AFTER)
    desk.run()
    desk.exchange.human(subject="Moved again")
    result = succeeded(desk.run())
    assert (desk.applied, result.verified) == (1, False)
    assert desk.exchange.properties["subject"] == "Moved again"


def test_a_write_that_never_arrived_is_sent_again() -> None:
    desk = a_desk(MOVED, Fault.LOST_BEFORE)
    assert isinstance(desk.run(), Retry)
    assert succeeded(desk.run()).verified
    assert desk.applied == 1


def test_when_somebody_made_our_change_after_our_write_was_lost_we_claim_nothing() -> None:
    desk = a_desk(MOVED, Fault.LOST_BEFORE)
    desk.run()
    desk.exchange.human(subject="Moved")
    assert succeeded(desk.run()) == Result("v2", noop=True)


def test_a_write_that_arrives_late_is_fenced_or_found_but_never_doubled() -> None:
    clock = [0.0]
    for wait in (1.0, 10.0):
        desk = a_desk(Intent(append={"subject": "!"}), Fault.LATE)
        desk.exchange.now = lambda: clock[0]
        desk.run()
        clock[0] += 30 + wait
        succeeded(desk.run())
        clock[0] += 100
        desk.exchange.arrive()
        assert (desk.applied, desk.exchange.properties["subject"]) == (1, "Team building!")


def test_what_came_of_a_lost_answer_is_looked_at_only_when_the_server_is_quiet() -> None:
    desk = a_desk(MOVED, Fault.LOST_BEFORE)
    desk.quiet = timedelta(seconds=7)
    desk.run()
    outcome = desk.run()
    assert isinstance(outcome, Retry)
    assert (outcome.error_class, outcome.after, outcome.in_doubt) == ("unknownOutcome", desk.quiet, True)
    assert desk.exchange.reads == 1
    desk.quiet = timedelta()
    assert succeeded(desk.run()).verified


def test_a_late_write_that_lands_between_our_read_and_our_write_is_found() -> None:
    clock = [0.0]
    desk = a_desk(Intent(append={"subject": "!"}), Fault.LATE)
    desk.exchange.now = lambda: clock[0]
    desk.run()

    def land() -> None:
        clock[0] += 100

    desk.exchange.between.append(land)
    succeeded(desk.run())
    assert (desk.applied, desk.exchange.properties["subject"]) == (1, "Team building!")


@pytest.mark.parametrize("mode", ["autoResolve", "neverOverwrite", "alwaysOverwrite"])
def test_a_version_that_moved_by_itself_is_no_conflict(mode: Any) -> None:
    desk = a_desk(conflict_resolution=mode)
    desk.exchange.between.append(desk.exchange.bump)
    assert succeeded(desk.run()).verified
    assert (desk.exchange.reads, desk.pauses) == (2, [0])


def test_what_somebody_else_changed_meanwhile_stays() -> None:
    desk = a_desk()
    desk.exchange.between.append(lambda: desk.exchange.human(importance="high"))
    succeeded(desk.run())
    assert desk.exchange.properties["importance"] == "high"


@pytest.mark.parametrize(
    ("mode", "edit", "clash"),
    [
        ("autoResolve", {"subject": "Mine"}, "subject"),
        ("neverOverwrite", {"subject": "Mine"}, "subject"),
        ("neverOverwrite", {"importance": "high"}, "importance"),
    ],
)
def test_an_edit_between_read_and_write_is_a_conflict_and_stays(mode: Any, edit: dict[str, Json], clash: str) -> None:
    desk = a_desk(conflict_resolution=mode)
    desk.exchange.between.append(lambda: desk.exchange.human(**edit))
    outcome = desk.run()
    assert dead(outcome) == ("conflict", "conflict")
    assert isinstance(outcome, Dead)
    assert [found.property for found in outcome.failure.conflicts] == [clash]
    assert (desk.applied, desk.exchange.mails) == (0, 0)


def test_always_overwrite_wins() -> None:
    desk = a_desk(conflict_resolution="alwaysOverwrite")
    desk.exchange.between.append(lambda: desk.exchange.human(subject="Mine"))
    succeeded(desk.run())
    assert desk.exchange.properties["subject"] == "Moved"


def test_an_edit_between_two_attempts_is_judged_against_the_first_read() -> None:
    desk = a_desk(MOVED, Fault.THROTTLED)
    desk.run()
    desk.exchange.human(subject="Mine")
    outcome = desk.run()
    assert isinstance(outcome, Dead)
    clash = outcome.failure.conflicts[0]
    assert (clash.base, clash.theirs, clash.ours) == ("Team building", "Mine", "Moved")


def test_the_base_of_every_merge_stays_what_was_read_first() -> None:
    desk = a_desk(Intent(append={"categories": ["Green"]}), Fault.THROTTLED, Fault.THROTTLED)
    desk.run()
    desk.exchange.human(categories=["Red", "Blue", "Urgent"])
    desk.run()
    assert desk.past is not None
    assert desk.past.base["categories"] == ["Red", "Blue"]
    assert desk.past.before["categories"] == ["Red", "Blue", "Urgent"]


def test_a_version_that_moves_every_time_is_no_conflict_and_is_tried_again_later() -> None:
    desk = a_desk()
    desk.exchange.between.extend([desk.exchange.bump] * 100)
    outcome = desk.run()
    assert isinstance(outcome, Retry)
    assert (outcome.error_class, outcome.in_doubt, len(desk.exchange.writes)) == ("unavailable", False, ROUNDS)
    desk.exchange.between.clear()
    assert succeeded(desk.run()).verified


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.UNAVAILABLE])
def test_a_definite_no_leaves_no_doubt(fault: Fault) -> None:
    desk = a_desk(MOVED, fault)
    outcome = desk.run()
    assert isinstance(outcome, Retry)
    assert not outcome.in_doubt
    succeeded(desk.run())


def test_a_doubt_outlasts_the_busy_answers_that_follow_it() -> None:
    desk = a_desk(MOVED, Fault.LOST_AFTER)
    desk.run()
    desk.exchange.read_faults.append(Unavailable("503", "Down."))
    outcome = desk.run()
    assert isinstance(outcome, Retry)
    assert outcome.in_doubt


PROTECTING: tuple[ConflictResolution, ...] = ("autoResolve", "neverOverwrite")


@pytest.mark.parametrize("mode", PROTECTING)
def test_an_edit_while_the_mailbox_was_paused_before_the_first_write_is_a_conflict(mode: ConflictResolution) -> None:
    desk = a_desk(conflict_resolution=mode)
    desk.paused.append(timedelta(seconds=4))
    assert isinstance(desk.run(), Retry)
    assert desk.exchange.writes == [] and not desk.in_doubt
    desk.exchange.human(subject="Human")
    outcome = desk.run()
    assert isinstance(outcome, Dead)
    assert outcome.failure.conflicts == (Clash("subject", "Team building", "Human", "Moved"),)


@pytest.mark.parametrize("mode", PROTECTING)
def test_an_edit_after_a_second_read_failed_is_a_conflict(mode: ConflictResolution) -> None:
    desk = a_desk(conflict_resolution=mode)
    desk.exchange.properties["recurrence"] = {"pattern": {"type": "weekly"}, "range": {"type": "noEnd"}}
    desk.exchange.read_faults.extend([None, Throttled("429", "Too many requests.", retry_after=3)])
    assert isinstance(desk.run(), Retry)
    desk.exchange.human(subject="Human")
    assert dead(desk.run()) == ("conflict", "conflict")


def test_a_version_that_moved_by_itself_while_the_mailbox_was_paused_is_no_conflict() -> None:
    desk = a_desk(conflict_resolution="neverOverwrite", target=Target("cloud", "E", mailbox="a@b", version="v1"))
    desk.paused.append(timedelta(seconds=4))
    assert isinstance(desk.run(), Retry)
    desk.exchange.bump()
    assert succeeded(desk.run()).noop is False


def test_what_others_changed_before_the_first_read_is_overwritten_as_ever() -> None:
    desk = a_desk()
    desk.exchange.read_faults.append(Unavailable("ConnectError", "Nobody there."))
    outcome = desk.run()
    assert isinstance(outcome, Retry) and outcome.intent == ""
    desk.exchange.human(subject="Human")
    assert succeeded(desk.run()).changed["subject"]["before"] == "Human"


def test_a_version_that_may_have_been_moved_by_our_own_write_leaves_a_doubt_until_we_have_looked() -> None:
    desk = a_desk(Intent(append={"subject": "!"}), Fault.TWICE)
    desk.exchange.read_faults.extend([None, Unavailable("503", "Down.")])
    outcome = desk.run()
    assert isinstance(outcome, Retry)
    assert outcome.in_doubt
    assert succeeded(desk.run()).verified
    assert desk.applied == 1


def test_what_exchange_refuses_is_dead_with_its_own_code_and_request_id() -> None:
    desk = a_desk(MOVED, Fault.REFUSED)
    outcome = desk.run()
    assert dead(outcome) == ("refused", "ErrorOccurrenceCrossingBoundary")
    assert outcome.request_id == "r-400"


def test_a_refusal_that_may_be_somebody_elses_is_believed_after_a_look() -> None:
    desk = a_desk(Intent(append={"subject": "!"}), Fault.BARRED)
    assert dead(desk.run()) == ("accessDenied", "HTTP 403")
    assert (desk.applied, len(desk.exchange.writes), desk.exchange.reads) == (0, 1, 2)


def test_what_was_applied_is_not_told_as_refused_by_somebody_in_between() -> None:
    desk = a_desk(Intent(append={"subject": "!"}), Fault.CENSORED)
    assert succeeded(desk.run()).verified
    assert (desk.applied, len(desk.exchange.writes)) == (1, 1)


def test_a_refusal_that_may_be_somebody_elses_and_cannot_be_looked_into_is_an_unknown_outcome() -> None:
    desk = a_desk(MOVED, Fault.CENSORED)
    desk.exchange.read_faults.extend([None, AccessDenied("HTTP 403", "Blocked.", foreign=True)])
    assert dead(desk.run()) == ("unknownOutcome", "HTTP 403")


@pytest.mark.parametrize("error", [NotFound("ErrorItemNotFound", "Gone."), AccessDenied("ErrorAccessDenied", "No.")])
def test_an_event_that_cannot_be_read_any_more_after_a_lost_answer_is_an_unknown_outcome(error: Any) -> None:
    desk = a_desk(MOVED, Fault.LOST_AFTER)
    desk.run()
    desk.exchange.read_faults.append(error)
    assert dead(desk.run()) == ("unknownOutcome", error.code)


def test_success_without_a_change_is_no_success() -> None:
    desk = a_desk(MOVED, Fault.SILENT)
    outcome = desk.run()
    assert dead(outcome) == ("refused", "NotApplied")
    assert isinstance(outcome, Dead)
    assert "subject" in outcome.failure.detail
    assert desk.applied == 0


def test_success_without_a_change_while_an_earlier_write_may_still_arrive_is_an_unknown_outcome() -> None:
    desk = a_desk(MOVED, Fault.LATE, Fault.SILENT)
    desk.run()
    assert dead(desk.run()) == ("unknownOutcome", "NotApplied")


@pytest.mark.parametrize("moved", [False, True])
def test_a_write_in_doubt_is_not_repeated_on_another_meeting_of_the_series(moved: bool) -> None:
    desk = a_desk(MOVED, Fault.LOST_BEFORE)
    desk.exchange.original = datetime(2026, 12, 21, 9, tzinfo=UTC)
    desk.run()
    desk.exchange.original += timedelta(days=1) * moved
    outcome = desk.run()
    if moved:
        assert dead(outcome) == ("unknownOutcome", "AnotherMeeting")
        assert "was to start 2026-12-21T09:00:00.000Z" in str(outcome)
    else:
        assert succeeded(outcome).verified
    assert len(desk.exchange.writes) == 2 - moved


def test_another_meeting_that_bears_our_marker_has_taken_the_write() -> None:
    desk = a_desk(MOVED, Fault.LOST_AFTER)
    desk.exchange.original = datetime(2026, 12, 21, 9, tzinfo=UTC)
    desk.run()
    desk.exchange.original += timedelta(days=1)
    assert succeeded(desk.run()).verified
    assert desk.applied == 1


LOUD = Intent(append={"subject": "!"}, set={"importance": "high"})


@pytest.mark.parametrize(
    ("intent", "others"), [(LOUD, " (it changed subject)"), (Intent(set={"importance": "high"}), "")]
)
def test_success_with_a_part_ignored_is_an_unknown_outcome_and_stays_one(intent: Intent, others: str) -> None:
    desk = a_desk(intent)
    desk.exchange.ignores = lambda _: ["importance"]
    outcome = desk.run()
    assert dead(outcome) == ("unknownOutcome", "NotApplied")
    assert isinstance(outcome, Dead)
    assert outcome.failure.detail == f"Exchange answered success but did not change importance{others}."
    assert outcome.failure.conflicts == (Clash("importance", "normal", "normal", "high"),)
    desk.in_doubt = True
    assert dead(desk.run()) == ("unknownOutcome", "NotApplied")
    assert desk.applied == 1


@pytest.mark.parametrize("put_back", [False, True])
def test_what_stands_as_before_after_a_lost_answer_is_never_told_as_changed(put_back: bool) -> None:
    desk = a_desk(LOUD, Fault.LOST_AFTER)
    desk.exchange.ignores = lambda _: [] if put_back else ["importance"]
    desk.run()
    if put_back:
        desk.exchange.human(importance="normal")
    outcome = desk.run()
    assert dead(outcome) == ("unknownOutcome", "NotApplied")
    assert isinstance(outcome, Dead)
    assert outcome.failure.conflicts == (Clash("importance", "normal", "normal", "high"),)
    assert desk.applied == 1


def test_a_write_that_could_not_be_read_back_is_not_called_verified() -> None:
    assert not succeeded(a_desk(MOVED, Fault.UNSEEN).run()).verified


def test_a_fault_of_ours_after_the_write_was_sent_leaves_it_in_doubt() -> None:
    desk = a_desk(MOVED, Fault.BROKEN)
    with pytest.raises(FailedInDoubt) as raised:
        desk.run()
    assert isinstance(raised.value.__cause__, KeyError)


def test_what_cannot_be_computed_is_refused() -> None:
    desk = a_desk(Intent(shift={"start": "PT1H", "end": "PT1H"}))
    custom = {"dateTime": "2026-11-23T09:00:00", "timeZone": "tzone://Microsoft/Custom"}
    desk.exchange.properties.update(start=custom, end=custom)
    assert dead(desk.run()) == ("refused", "CannotBeComputed")


def test_a_whole_day_that_would_begin_within_a_day_is_refused_before_the_write() -> None:
    desk = a_desk(Intent(shift={"start": "PT1H", "end": "PT1H"}))
    days = {
        name: {"dateTime": f"2026-12-0{day}T00:00:00", "timeZone": "UTC"} for day, name in ((1, "start"), (2, "end"))
    }
    desk.exchange.properties.update(days, isAllDay=True)
    assert dead(desk.run()) == ("refused", "CannotBeComputed")
    assert desk.applied == 0


def test_more_mail_than_allowed_is_refused_before_the_write() -> None:
    desk = a_desk(max_recipients=1)
    assert dead(desk.run()) == ("refused", "TooManyRecipients")
    assert desk.exchange.writes == []


def test_silence_on_graph_is_refused_before_the_write() -> None:
    desk = a_desk(send_invitations="sendToNone")
    desk.kind = "graph"
    assert dead(desk.run()) == ("refused", "SendToNoneOnGraph")
    assert desk.exchange.writes == []


def test_after_the_deadline_nothing_is_asked() -> None:
    desk = a_desk()
    desk.remaining = timedelta()
    assert dead(desk.run()) == ("expired", "DeadlinePassed")
    assert desk.exchange.reads == 0


@pytest.mark.parametrize(("fault", "judge"), [(Fault.LOST_AFTER, succeeded), (Fault.LOST_BEFORE, dead)])
def test_after_the_deadline_a_doubt_is_still_cleared_up_but_nothing_is_written(
    fault: Fault, judge: Callable[[Outcome], Any]
) -> None:
    desk = a_desk(MOVED, fault)
    desk.exchange.between.append(lambda: setattr(desk, "remaining", timedelta()))
    assert isinstance(desk.run(), Retry)
    judge(desk.run())
    assert len(desk.exchange.writes) == 1


@pytest.mark.parametrize(("others", "judge"), [(MARKER_LENGTH - 1, succeeded), (MARKER_LENGTH, dead)])
def test_a_doubt_that_the_event_cannot_clear_up_any_more_is_never_written_again(
    others: int, judge: Callable[[Outcome], Any]
) -> None:
    desk = a_desk(Intent(append={"subject": "!"}), Fault.LOST_AFTER)
    desk.exchange.marker = tuple(f"upd_before{n}" for n in range(MARKER_LENGTH))
    desk.run()
    desk.exchange.marker = (*(f"upd_since{n}" for n in range(others)), *desk.exchange.marker)[:MARKER_LENGTH]
    judge(desk.run())
    assert desk.applied == 1


def test_what_was_turned_away_is_written_however_many_others_were_written_since() -> None:
    desk = a_desk(MOVED, Fault.THROTTLED)
    desk.run()
    desk.exchange.marker = tuple(f"upd_since{n}" for n in range(MARKER_LENGTH))
    assert succeeded(desk.run()).verified


def test_a_write_that_never_arrived_is_sent_again_though_the_marker_is_full() -> None:
    desk = a_desk(MOVED, Fault.LOST_BEFORE)
    desk.exchange.marker = tuple(f"upd_{n}" for n in range(MARKER_LENGTH))
    desk.run()
    assert succeeded(desk.run()).verified
    assert desk.applied == 1


@pytest.mark.parametrize("beside", [{}, {"subject": "Moved"}])
def test_an_open_extension_that_was_written_though_the_answer_was_lost_is_told_as_changed(
    beside: dict[str, Json],
) -> None:
    name = f"{EXTENSION}com.example.desk"
    desk = a_desk(Intent(set={name: {"desk": 7}, **beside}), Fault.HALF)
    desk.kind = "graph"
    assert isinstance(desk.run(), Retry)
    result = succeeded(desk.run())
    assert not result.noop
    assert result.changed[name] == {"before": None, "after": {"desk": 7}}
    assert result.changed.keys() == {name, *beside}
    assert len(desk.exchange.writes) == 1 + len(beside)


def test_an_open_extension_that_was_not_written_is_not_told_as_changed() -> None:
    both = Intent(set={f"{EXTENSION}com.example.desk": {"desk": 7}, **MOVED.set})
    desk = a_desk(both, Fault.THROTTLED, Fault.REFUSED)
    desk.kind = "graph"
    assert isinstance(desk.run(), Retry)
    outcome = desk.run()
    assert isinstance(outcome, Dead)
    assert outcome.failure.detail == "It would overlap."


def test_an_update_that_a_rolled_back_store_brought_to_life_again_is_recognised() -> None:
    desk = a_desk(Intent(append={"subject": "!"}))
    desk.run()
    desk.exchange.marker = ("upd_later", *desk.exchange.marker)
    again = Desk(desk.exchange, desk.update)
    result = succeeded(again.run())
    assert (result.noop, result.verified) == (False, False)
    assert desk.applied == 1


def a_strict_desk(version: str, intent: Intent = MOVED) -> Desk:
    target = Target("cloud", "E", mailbox="anna@contoso.com", version=version)
    return a_desk(intent, target=target, conflict_resolution="neverOverwrite")


def test_never_overwrite_minds_what_changed_since_the_callers_version() -> None:
    desk = a_strict_desk("v1")
    desk.exchange.human(subject="Mine")
    assert dead(desk.run()) == ("conflict", "conflict")
    assert desk.exchange.properties["subject"] == "Mine"


def test_never_overwrite_minds_no_version_that_moved_by_itself_between_two_attempts() -> None:
    desk = a_strict_desk("v1")
    desk.exchange.write_faults.append(Fault.THROTTLED)
    desk.run()
    desk.exchange.bump()
    assert succeeded(desk.run()).verified


def test_never_overwrite_minds_no_writes_of_ours_since_the_callers_version() -> None:
    desk = a_strict_desk("v1")
    desk.exchange.bump()
    desk.exchange.bump()
    desk.wrote = [Wrote('W/"v2"', "v3"), Wrote("v1", "v2"), Wrote("v0", "v1")]
    assert succeeded(desk.run()).verified


def test_never_overwrite_minds_an_edit_among_our_writes() -> None:
    desk = a_strict_desk("v1")
    for _ in range(3):
        desk.exchange.bump()
    desk.wrote = [Wrote("v3", "v4"), Wrote("v1", "v2")]
    assert dead(desk.run())[0] == "conflict"


def test_three_updates_of_one_version_do_not_conflict_though_exchange_moves_it_and_loses_an_answer() -> None:
    first = a_strict_desk("v1")
    wrote: list[Wrote] = []
    for number in range(4):
        strict = replace(first.update, id=f"upd_{number}", intent=Intent(set={"subject": f"Moved {number}"}))
        desk = Desk(first.exchange, strict, wrote=wrote)
        if number % 2:
            desk.exchange.write_faults.append(Fault.LOST_AFTER)
            assert isinstance(desk.run(), Retry)
        outcome = desk.run()
        assert isinstance(outcome, Succeeded), outcome
        assert outcome.wrote is not None
        wrote.insert(0, outcome.wrote)
        desk.exchange.bump()
    first.exchange.human(subject="Mine")
    assert dead(Desk(first.exchange, first.update, wrote=wrote).run()) == ("conflict", "conflict")


@pytest.mark.parametrize("edit", [{"importance": "high"}, {"subject": "Mine"}])
def test_never_overwrite_minds_an_edit_between_our_write_and_its_being_read_back(edit: dict[str, Json]) -> None:
    desk = a_strict_desk("v1")
    desk.exchange.afterwards.append(lambda: desk.exchange.human(**edit))
    outcome = desk.run()
    wrote = getattr(outcome, "wrote", None)
    assert isinstance(wrote, Wrote), outcome
    for seen in ("v1", wrote.after):
        later = replace(a_strict_desk(seen, Intent(set={"subject": "Later"})).update, id="upd_later")
        assert dead(Desk(desk.exchange, later, wrote=[wrote]).run()) == ("conflict", "conflict")


def test_never_overwrite_heeds_a_version_also_where_the_values_are_as_expected() -> None:
    desk = a_strict_desk("v0", Intent(set={"subject": "Moved"}, expect={"subject": "Team building"}))
    assert dead(desk.run()) == ("conflict", "conflict")


@pytest.mark.parametrize("mode", ["autoResolve", "alwaysOverwrite"])
def test_the_other_modes_mind_no_older_version(mode: Any) -> None:
    desk = a_desk(target=Target("cloud", "E", mailbox="a@contoso.com", version="v0"), conflict_resolution=mode)
    assert succeeded(desk.run()).verified


def test_a_success_tells_which_version_it_replaced_by_which() -> None:
    outcome = a_desk().run()
    assert isinstance(outcome, Succeeded)
    assert outcome.wrote is not None
    assert (outcome.wrote.before, outcome.wrote.after) == ("v1", "v2")


@pytest.mark.parametrize(("limit", "state"), [(3, "refused"), (4, "succeeded")])
def test_the_exceptions_of_a_series_cost_mails_too_and_count_for_the_limit(limit: int, state: str) -> None:
    weekly = {"pattern": {"type": "weekly"}, "range": {"type": "noEnd"}}
    desk = a_desk(max_recipients=limit)
    desk.exchange.properties |= {
        "recurrence": weekly,
        "exceptionOccurrences": [{"attendees": [attendee("Anna"), attendee("Ben")]}],
    }
    outcome = desk.run()
    if state == "succeeded":
        assert succeeded(outcome).mails == 4
    else:
        assert isinstance(outcome, Dead)
        assert outcome.failure.code == "TooManyRecipients"
        assert desk.exchange.writes == []


def test_a_series_without_exceptions_costs_no_more_mails_than_a_meeting() -> None:
    desk = a_desk()
    desk.exchange.properties["recurrence"] = {"pattern": {"type": "weekly"}, "range": {"type": "noEnd"}}
    assert succeeded(desk.run()).mails == 2


def test_a_server_that_does_not_tell_exceptions_is_written_to_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = a_desk()
    desk.exchange.properties["recurrence"] = {"pattern": {"type": "weekly"}, "range": {"type": "noEnd"}}
    read = desk.exchange.read

    def reads_no_exceptions(target: Target, properties: Any) -> Any:
        if "exceptionOccurrences" in properties:
            raise Refused("RequestBodyRead", "there is no such property")
        return read(target, properties)

    monkeypatch.setattr(desk.exchange, "read", reads_no_exceptions)
    assert succeeded(desk.run()).mails == 2


def test_nothing_is_written_into_a_mailbox_that_was_paused_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = a_desk()
    monkeypatch.setattr(desk, "intend", lambda _: timedelta(seconds=7))
    outcome = desk.run()
    assert isinstance(outcome, Retry)
    assert (outcome.error_class, outcome.after, outcome.pause) == ("throttled", timedelta(seconds=7), None)
    assert desk.exchange.writes == []
