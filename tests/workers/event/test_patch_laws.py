"""What holds for every event and every intent."""

from __future__ import annotations

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from tests.workers.events import VALUES, attendees, categories, events, settings_of, texts, values
from workers.event.agreement import agrees
from workers.event.patch import Changes, Conflict, plan
from workers.event.properties import TIMES, group_of, members
from workers.update import ConflictResolution, Intent, Json

Event = dict[str, Json]
modes = st.sampled_from(get_args(ConflictResolution))
removals = st.fixed_dictionaries({}, optional={
    "attendees": st.lists(st.sampled_from(["ann@contoso.com", "BEN@contoso.com", "x@y"]), max_size=2),
    "categories": st.lists(st.sampled_from(["red", "Blue", "x"]), max_size=2),
})  # fmt: skip
additions = st.fixed_dictionaries({}, optional={"attendees": attendees, "categories": categories})
repeatable = st.one_of(
    st.builds(lambda values: Intent(set=values), settings_of),
    st.builds(lambda add: Intent(append=add), additions),
    st.builds(lambda gone: Intent(remove=gone), removals),
)
"""Intents that say how the event shall be, so that saying it twice changes nothing more."""
intents = st.builds(
    lambda setting, text, by: Intent(
        set={name: value for name, value in setting.items() if name not in text and name not in by},
        append=text,
        shift=by,
    ),
    settings_of,
    st.fixed_dictionaries({}, optional={"subject": texts, "attendees": attendees, "categories": categories}),
    st.sampled_from([{}, {"start": "PT1H", "end": "PT1H"}, {"end": "-PT30M"}, {"start": "P1D", "end": "P1D"}]),
)


def changed(intent: Intent, now: Event, base: Event | None = None, mode: ConflictResolution = "autoResolve") -> Event:
    planned = plan(intent, now, base, mode)
    assert isinstance(planned, Changes)
    return dict(planned.values)


def after(intent: Intent, event: Event) -> Event:
    return {**event, **changed(intent, event)}


@given(events, repeatable)
def test_applying_twice_is_applying_once(event: Event, intent: Intent) -> None:
    assert changed(intent, after(intent, event)) == {}


@given(events, st.sampled_from(sorted(VALUES)), st.data())
def test_what_was_set_is_what_stands(event: Event, name: str, data: st.DataObject) -> None:
    value = data.draw(values(name))
    assert agrees(name, after(Intent(set={name: value}), event)[name], value)


@given(events, intents)
def test_what_was_not_named_is_never_touched(event: Event, intent: Intent) -> None:
    written = changed(intent, event)
    partners = set(TIMES) if written.keys() & {*TIMES} else set()
    assert written.keys() <= {*intent.touched, *partners}
    assert all(agrees(name, event[name], written[name]) for name in written.keys() - {*intent.touched})


@given(events, intents)
def test_nothing_is_written_that_stands_already(event: Event, intent: Intent) -> None:
    written = changed(intent, event)
    same = {name for name in written if agrees(name, event[name], written[name])}
    assert same <= {*TIMES}
    assert not written or same < written.keys()


@given(events, intents)
def test_start_comes_with_end_and_end_with_start(event: Event, intent: Intent) -> None:
    assert ("start" in (written := changed(intent, event))) == ("end" in written)


@given(events, additions, removals)
def test_nobody_who_was_not_named_is_dropped(event: Event, add: Event, gone: Event) -> None:
    stands = after(Intent(append=add, remove=gone), event)
    for name in ("attendees", "categories"):
        named = {key.lower() for key in gone.get(name, [])}
        assert members(name, event[name]).keys() - members(name, stands[name]).keys() <= named
        assert (
            members(name, stands[name]).keys()
            <= members(name, event[name]).keys() | members(name, add.get(name)).keys()
        )


@given(events, additions)
def test_what_exchange_knows_of_an_attendee_is_kept(event: Event, add: Event) -> None:
    stands = members("attendees", after(Intent(append=add), event)["attendees"])
    for key, known in members("attendees", event["attendees"]).items():
        assert stands[key] == known


@given(events, additions, st.randoms())
def test_the_order_in_which_members_are_named_says_nothing(event: Event, add: Event, random: st.DataObject) -> None:
    shuffled = {name: list(value) for name, value in add.items()}
    for value in shuffled.values():
        random.shuffle(value)  # type: ignore[attr-defined]
    one, other = after(Intent(append=add), event), after(Intent(append=shuffled), event)
    assert all(agrees(name, one[name], other[name]) for name in one)


@given(events, settings_of, settings_of)
def test_disjoint_changes_commute(event: Event, one: Event, other: Event) -> None:
    groups = {name for key in one for name in group_of(key)}
    apart = {name: value for name, value in other.items() if name not in groups}
    there = after(Intent(set=apart), after(Intent(set=one), event))
    back = after(Intent(set=one), after(Intent(set=apart), event))
    assert all(agrees(name, there[name], back[name]) for name in event)


@given(events, intents, modes)
def test_if_nobody_else_was_here_ours_is_taken(base: Event, intent: Intent, mode: ConflictResolution) -> None:
    assert changed(intent, base, base, mode) == changed(intent, base)


@given(events, events, modes)
def test_if_we_want_nothing_theirs_stays(base: Event, theirs: Event, mode: ConflictResolution) -> None:
    untouched = Intent(set={"subject": theirs["subject"]})
    assert changed(untouched, theirs, base, mode) == {}


@given(events, settings_of, modes)
def test_if_both_want_the_same_there_is_nothing_to_do_and_no_conflict(
    base: Event, ours: Event, mode: ConflictResolution
) -> None:
    assert changed(Intent(set=ours), {**base, **ours}, base, mode) == {}


@given(events, settings_of, settings_of)
def test_nothing_of_theirs_is_overwritten_by_a_merge(base: Event, theirs: Event, ours: Event) -> None:
    now = {**base, **theirs}
    planned = plan(Intent(set=ours), now, base, "autoResolve")
    moved = {name for name in base if not (agrees(name, now[name], base[name]) and agrees(name, base[name], now[name]))}
    if isinstance(planned, Changes):
        overwritten = {name for name in planned.values if not agrees(name, now[name], planned.values[name])}
        assert not any(group_of(name) & moved for name in overwritten)
    else:
        assert all(group_of(clash.property) & moved for clash in planned.clashes)


@given(events, settings_of, settings_of)
def test_no_value_is_invented(base: Event, theirs: Event, ours: Event) -> None:
    now = {**base, **theirs}
    planned = plan(Intent(set=ours), now, base, "autoResolve")
    if isinstance(planned, Changes):
        assert all(agrees(n, value, ours.get(n, now[n])) for n, value in planned.values.items())


@given(events, settings_of, intents)
def test_never_overwrite_writes_only_over_what_it_first_read(base: Event, theirs: Event, intent: Intent) -> None:
    now = {**base, **theirs}
    planned = plan(intent, now, base, "neverOverwrite")
    if isinstance(planned, Changes) and planned.values:
        assert all(agrees(name, now[name], base[name]) for name in base)


@given(events, settings_of, intents)
def test_always_overwrite_never_conflicts_without_expectations(base: Event, theirs: Event, intent: Intent) -> None:
    assert not isinstance(plan(intent, {**base, **theirs}, base, "alwaysOverwrite"), Conflict)


@given(events, events, intents, modes)
def test_an_expectation_that_fails_is_a_conflict_whatever_else(
    now: Event, other: Event, intent: Intent, mode: ConflictResolution
) -> None:
    expecting = Intent(intent.set, intent.append, intent.remove, intent.shift, {"subject": other["subject"]})
    conflict = isinstance(plan(expecting, now, None, mode), Conflict)
    assert conflict != agrees("subject", now["subject"], other["subject"])
