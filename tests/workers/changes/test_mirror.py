"""What a mirror makes of a change."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest

from tests.workers.given import NOW
from workers.changes import event_change
from workers.changes.event_change import Change, Ours, Snapshot
from workers.changes.mirror import Way, circle, key, update_for, way
from workers.changes.subscription import Mirror
from workers.event import patch
from workers.event.patch import Changes
from workers.exchange import Event
from workers.update import Intent, Json, Target, Update

A, B, C = (Target("cloud", name, mailbox=f"{name}@contoso.com") for name in ("a", "b", "c"))
OLDER = Mirror("mir_1", "hr", A, B, ("subject",), None, "")
YOUNGER = Mirror("mir_2", "hr", B, A, ("subject",), None, "")
FORTH, BACK = way(OLDER, "a", "b"), way(YOUNGER, "b", "a", [OLDER])
THROUGH_A = {"subject": sorted(FORTH.source)}
NOTHING = Change("updated", {}, {})


def an_event(**properties: Any) -> Event:
    return Event("E", "v2", False, (), {"subject": "New", **properties})


def changed(before: str, after: str, *by: Ours) -> Change:
    ours = {name: value for one in reversed(by) for name, value in one.after.items()}
    return Change("updated", {"subject": {"before": before, "after": after}}, ours, by)


def test_what_changed_becomes_an_update_of_the_other_event() -> None:
    update = update_for(OLDER, FORTH, changed("Old", "New"), an_event(), NOW)
    assert update is not None
    assert (update.client, update.target, update.metadata) == ("hr", B, {"mirror": "mir_1"})
    assert (update.intent.set, update.intent.only_where) == ({"subject": "New"}, {})


def test_a_change_of_another_property_is_none_of_its_business() -> None:
    change = Change("updated", {"location": {"before": None, "after": {}}}, {})
    assert update_for(OLDER, FORTH, change, an_event(), NOW) is None


def test_at_first_the_other_event_is_made_equal() -> None:
    update = update_for(OLDER, FORTH, NOTHING, an_event(), NOW, whole=True)
    assert update is not None and update.intent.set == {"subject": "New"}


@pytest.mark.parametrize("whole", [True, False])
def test_what_is_not_told_and_cannot_be_unset_is_left_as_it_is_and_the_others_go_on(whole: bool) -> None:
    names = ("subject", "location", "reminderMinutesBeforeStart")
    change = Change("updated", {name: {"before": 15, "after": None} for name in names}, {})
    update = update_for(
        replace(OLDER, properties=names),
        FORTH,
        change,
        an_event(location=None, reminderMinutesBeforeStart=None),
        NOW,
        whole=whole,
    )
    assert update is not None
    assert update.intent.set == {"subject": "New", "location": None}
    assert update.through.keys() == {"subject", "location"}


def test_at_first_only_the_older_of_two_makes_equal() -> None:
    assert update_for(YOUNGER, BACK, NOTHING, an_event(), NOW, whole=True) is None


def test_a_change_that_is_seen_when_a_mirror_begins_is_mirrored_all_the_same() -> None:
    update = update_for(YOUNGER, BACK, changed("Old", "New"), an_event(), NOW, whole=True)
    assert update is not None
    assert (update.intent.set, update.intent.only_where) == ({"subject": "New"}, {"subject": "Old"})


def test_what_the_other_direction_wrote_is_not_sent_back() -> None:
    brought = Ours("upd_1", {"subject": "New"}, None, THROUGH_A)
    assert update_for(YOUNGER, BACK, changed("Old", "New", brought), an_event(), NOW) is None


def test_of_what_one_update_wrote_each_value_has_come_its_own_way() -> None:
    wrote = Ours("upd_1", {"subject": "New", "importance": "high"}, None, THROUGH_A)
    change = Change(
        "updated", {name: {"before": None, "after": wrote.after[name]} for name in wrote.after}, {}, (wrote,)
    )
    both = replace(YOUNGER, properties=("subject", "importance"))
    update = update_for(both, way(both, "b", "a"), change, an_event(importance="high"), NOW)
    assert update is not None and update.intent.set == {"importance": "high"}


def test_what_an_ordinary_update_wrote_is_mirrored() -> None:
    written = Ours("upd_1", {"subject": "New"}, None)
    assert update_for(YOUNGER, BACK, changed("Old", "New", written), an_event(), NOW) is not None


def test_the_younger_touches_only_what_the_two_still_have_in_common() -> None:
    update = update_for(YOUNGER, BACK, changed("Old", "New"), an_event(), NOW)
    assert update is not None and update.intent.only_where == {"subject": "Old"}


def test_what_the_two_had_in_common_may_have_been_brought_meanwhile() -> None:
    brought = Ours("upd_1", {"subject": "Brought"}, None, THROUGH_A)
    update = update_for(YOUNGER, BACK, changed("Old", "New", brought), an_event(), NOW)
    assert update is not None and update.intent.only_where == {"subject": "Brought"}


def test_what_the_other_direction_brought_and_somebody_took_back_is_mirrored_though_it_looks_unchanged() -> None:
    brought = Ours("upd_1", {"subject": "Brought"}, None, THROUGH_A)
    change = Change("updated", {}, {"subject": "Brought"}, (brought,))
    update = update_for(YOUNGER, BACK, change, an_event(), NOW)
    assert update is not None
    assert (update.intent.set, update.intent.only_where) == ({"subject": "New"}, {"subject": "Brought"})
    assert update_for(YOUNGER, BACK, change, an_event(subject="Brought"), NOW) is None


def test_what_an_ordinary_update_wrote_meanwhile_was_never_in_common() -> None:
    written, brought = Ours("upd_2", {"subject": "Ours"}, None), Ours("upd_1", {"subject": "Brought"}, None, THROUGH_A)
    update = update_for(YOUNGER, BACK, changed("Old", "New", written, brought), an_event(), NOW)
    assert update is not None and update.intent.only_where == {"subject": "Brought"}
    update = update_for(YOUNGER, BACK, changed("Old", "New", written), an_event(), NOW)
    assert update is not None and update.intent.only_where == {"subject": "Old"}


def test_what_the_last_update_was_to_replace_may_still_be_there_if_it_has_not_arrived() -> None:
    waiting = {"subject": Intent(only_where={"subject": "Older"}, or_where={"subject": ["Oldest"]})}
    update = update_for(YOUNGER, BACK, changed("Old", "New"), an_event(), NOW, waiting=waiting)
    assert update is not None
    assert (update.intent.only_where, update.intent.or_where) == ({"subject": "Old"}, {"subject": ["Older", "Oldest"]})
    brought = Ours("upd_1", {"subject": "Brought"}, None, THROUGH_A)
    update = update_for(YOUNGER, BACK, changed("Old", "New", brought), an_event(), NOW, waiting=waiting)
    assert update is not None and update.intent.or_where == {}


def test_of_updates_that_never_arrive_what_was_there_at_first_is_remembered() -> None:
    intent = Intent(only_where={"subject": "0"})
    for number in range(1, 30):
        change = changed(str(number), "New")
        update = update_for(YOUNGER, BACK, change, an_event(), NOW, waiting={"subject": intent})
        assert update is not None
        intent = update.intent
    assert intent.or_where["subject"][-1] == "0" and len(intent.or_where["subject"]) < 10


def test_the_older_touches_whatever_is_there() -> None:
    update = update_for(OLDER, FORTH, changed("Old", "New"), an_event(), NOW)
    assert update is not None and update.intent.only_where == {}


def test_what_is_true_of_one_mailbox_only_is_left_out() -> None:
    ann, ben = (
        {"emailAddress": {"address": "ann@x.com"}},
        {"type": "optional", "emailAddress": {"address": "ben@x.com"}},
    )
    people = [{**ann, "status": {"response": "accepted"}}, {**ben, "status": {"response": "none"}}]
    update = update_for(
        replace(OLDER, properties=("attendees",)), FORTH, NOTHING, an_event(attendees=people), NOW, whole=True
    )
    assert update is not None
    assert update.intent.set["attendees"] == [{"type": "required", **ann}, ben]


def test_a_version_is_mirrored_once() -> None:
    assert key(OLDER, "v1") == key(OLDER, "v1")
    assert len({key(OLDER, "v1"), key(OLDER, "v2"), key(YOUNGER, "v1"), key(OLDER, "v1", whole=True)}) == 4


def test_a_mirror_is_read_as_it_was_stored() -> None:
    assert Mirror.from_json(OLDER.to_json()) == OLDER


def test_the_older_mirrors_that_bring_back_what_one_writes_are_its_circle() -> None:
    ring = [Mirror(f"mir_{n}", "hr", source, to, ("subject",), None, "") for n, source, to in
            ((1, A, B), (2, B, C), (3, C, A), (4, B, A))]  # fmt: skip

    def found(one: Mirror, among: Sequence[Mirror] = ring) -> tuple[str, ...]:
        return circle(one, one.source, one.to, lambda at: [(two, two.to) for two in among if two.source == at])

    assert [found(one) for one in ring] == [(), (), ("mir_1", "mir_2"), ("mir_1",)]
    other = replace(OLDER, properties=("body",))
    assert found(YOUNGER, [other]) == (), "what it writes does not come back"
    assert found(replace(OLDER, id="mir_9"), [ring[1], replace(OLDER, source=C, to=B)]) == (), "goes round elsewhere"


def test_the_younger_yields_only_what_the_older_brings_and_nothing_when_that_has_ended() -> None:
    both = replace(YOUNGER, properties=("subject", "importance"))
    assert way(both, "b", "a", [OLDER]).yields == {"subject"}
    assert way(both, "b", "a", [OLDER, None]).yields == way(both, "b", "a").yields == frozenset()


def test_a_mirror_whose_circle_is_not_known_yet_yields_everything() -> None:
    (one, _) = a_ring(A, B)
    assert way(one, "E", "F", elders=None).yields == {*one.properties}


def test_what_came_from_the_other_event_is_known_however_its_id_is_spelled() -> None:
    respelled = way(replace(YOUNGER, to=replace(A, event="a as graph has it")), "b", "a")
    brought = Ours("upd_1", {"subject": "New"}, None, THROUGH_A)
    assert update_for(YOUNGER, respelled, changed("Old", "New", brought), an_event(), NOW) is None


@dataclass
class Place:
    """An event in a simulated Exchange, and how it was last told."""

    properties: dict[str, Json]
    told: Snapshot
    marker: tuple[str, ...] = ()
    version: int = 0
    writes: int = 0

    def change(self, **properties: Json) -> None:
        self.properties.update(properties)
        self.version += 1


@dataclass
class World:
    """Events, mirrors between them and what both have to do, in any order. ``ways``: what the mirrors know."""

    mirrors: Sequence[Mirror]
    ways: Sequence[Way]
    dice: random.Random
    in_step: bool = False
    """All do what they have to at the same time, which keeps values going round that chance would let meet."""
    refused: str | None = None
    """The mirror whose target refuses what it writes now."""
    places: dict[str, Place] = field(default_factory=dict)
    ours: dict[str, Ours] = field(default_factory=dict)
    updates: list[Update] = field(default_factory=list)
    waiting: dict[str, dict[str, Intent]] = field(default_factory=lambda: defaultdict(dict))
    """A mirror's id → property → what it asked for last, if that did not arrive."""
    lost: dict[str, dict[str, Json]] = field(default_factory=lambda: defaultdict(dict))
    """A mirror's id → property → what it asked for last, if that was refused."""

    def __post_init__(self) -> None:
        for end in {one.source.mailbox or "" for one in self.mirrors}:
            properties = {"subject": f"of {end}", "importance": "normal"}
            self.places[end] = Place(properties, Snapshot("0", dict(properties), (), ""))
        for mirror, its_way in self.shuffled(zip(self.mirrors, self.ways, strict=True)):
            self.add(update_for(mirror, its_way, NOTHING, self.event(mirror.source.mailbox), NOW, whole=True))

    def edit(self, name: str, value: Json) -> None:
        self.dice.choice(list(self.places.values())).change(**{name: value})

    def run(self, steps: int) -> bool:
        """Whether there was nothing left to be done after so many steps."""
        for _ in range(steps):
            looks = [end for end, place in self.places.items() if str(place.version) != place.told.version]
            todo = [partial(self.look, end) for end in looks]
            todo += [partial(self.apply, update) for update in self.firsts()]
            if not todo:
                return True
            for do in todo if self.in_step else [self.dice.choice(todo)]:
                do()
        return False

    def firsts(self) -> list[Update]:
        """Updates of one event are applied in order."""
        return list({update.target.mailbox: update for update in reversed(self.updates)}.values())

    def look(self, end: str) -> None:
        place, event = self.places[end], self.event(end)
        change = event_change.compare(place.told, event, [self.ours[one] for one in place.marker])
        for mirror, its_way in self.shuffled(zip(self.mirrors, self.ways, strict=True)):
            if mirror.source.mailbox == end:
                waiting = self.waiting[mirror.id]
                lost = self.lost[self.mirrors[0].id] if its_way.yields else {}
                update = update_for(mirror, its_way, change, event, NOW, waiting=dict(waiting), lost=lost)
                waiting.update(dict.fromkeys(update.intent.only_where, update.intent) if update else {})
                self.add(update)
        place.told = event_change.snapshot(event, "")

    def apply(self, update: Update) -> None:
        self.updates.remove(update)
        mirror = update.metadata["mirror"]
        if self.refused == mirror:
            self.lost[mirror] |= update.intent.set
            return
        known = self.waiting[mirror]
        self.waiting[mirror] = {name: asked for name, asked in known.items() if asked is not update.intent}
        place = self.places[update.target.mailbox or ""]
        planned = patch.plan(update.intent, place.properties, None, "alwaysOverwrite")
        assert isinstance(planned, Changes)
        if planned.values:
            place.change(**planned.values)
            place.marker = (update.id, *place.marker)[:16]
            place.writes += 1
            self.ours[update.id] = Ours(update.id, planned.values, None, update.through)

    def event(self, end: str | None) -> Event:
        place = self.places[end or ""]
        return Event("", str(place.version), False, place.marker, dict(place.properties))

    def add(self, update: Update | None) -> None:
        if update is not None:
            self.updates.append(update)
            lost = self.lost[update.metadata["mirror"]]
            self.lost[update.metadata["mirror"]] = {name: lost[name] for name in lost.keys() - update.intent.set.keys()}

    def shuffled(self, pairs: Iterable[tuple[Mirror, Way]]) -> list[tuple[Mirror, Way]]:
        listed = list(pairs)
        return self.dice.sample(listed, len(listed))


def a_ring(*ends: Target) -> list[Mirror]:
    return [
        Mirror(f"mir_{number}", "hr", source, to, ("subject", "importance"), None, "")
        for number, (source, to) in enumerate(zip(ends, (*ends[1:], ends[0]), strict=True), start=1)
    ]


def edited(world: World) -> bool:
    """Somebody edits now and then, and at last it is quiet."""
    for number in range(6):
        world.run(world.dice.randrange(8))
        world.edit(world.dice.choice(["subject", "importance"]), f"edit {number}")
    return world.run(1000)


def equal(world: World) -> bool:
    return len({str(sorted(place.properties.items())) for place in world.places.values()}) == 1


def of_one_circle(mirrors: Sequence[Mirror], seed: int) -> World:
    *first, last = mirrors
    ways = [way(one, one.source.event, one.to.event, first if one is last else ()) for one in mirrors]
    return World(mirrors, ways, random.Random(seed))


@pytest.mark.parametrize("seed", range(60))
def test_two_events_mirrored_both_ways_become_equal_whatever_is_edited(seed: int) -> None:
    world = of_one_circle(a_ring(A, B), seed)
    assert world.run(100)
    assert edited(world) and equal(world)


@pytest.mark.parametrize("then", ["its source", "the other event"])
@pytest.mark.parametrize("number", [0, 1], ids=["of the older", "of the younger"])
@pytest.mark.parametrize("seed", range(30))
def test_two_events_become_equal_with_the_next_edit_though_updates_were_refused(
    seed: int, number: int, then: str
) -> None:
    world = of_one_circle(a_ring(A, B), seed)
    assert world.run(100)
    refused = world.mirrors[number]
    for edit in range(6):
        world.refused = refused.id if world.dice.random() < 0.5 else None
        world.places[refused.source.mailbox or ""].change(subject=f"edit {edit}")
        world.run(world.dice.randrange(8))
    assert world.run(100)
    world.refused = None
    last = refused.source if then == "its source" else refused.to
    world.places[last.mailbox or ""].change(subject="the last")
    assert world.run(100) and equal(world)


@pytest.mark.parametrize("seed", range(60))
def test_a_circle_begins_with_what_its_oldest_mirror_finds_and_comes_to_an_end_whatever_is_edited(seed: int) -> None:
    world = of_one_circle(a_ring(A, B, C), seed)
    assert world.run(100) and equal(world)
    assert world.places[A.mailbox or ""].properties["subject"] == "of a@contoso.com"
    assert edited(world)


@pytest.mark.parametrize("ends", [(A, B), (A, B, C)], ids=len)
@pytest.mark.parametrize("in_step", [True, False])
@pytest.mark.parametrize("seed", range(30))
def test_a_circle_that_nobody_knows_to_be_one_comes_to_an_end_and_a_later_edit_goes_all_the_way(
    ends: tuple[Target, ...], in_step: bool, seed: int
) -> None:
    # Each mirror spells both events its own way, and thinks that it is alone.
    mirrors = [
        replace(one, source=replace(one.source, event=f"{one.id} from"), to=replace(one.to, event=f"{one.id} to"))
        for one in a_ring(*ends)
    ]
    world = World(mirrors, [way(one, one.source.event, one.to.event) for one in mirrors], random.Random(seed), in_step)
    assert edited(world)
    world.edit("subject", "later")
    assert world.run(100)
    assert {place.properties["subject"] for place in world.places.values()} == {"later"}
