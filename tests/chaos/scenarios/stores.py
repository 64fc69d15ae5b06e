"""The store and the broker are hurt."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence

import httpx

from tests.chaos.callers import CLOUD, Callers
from tests.chaos.judge import Verdict
from tests.chaos.stage import Stage, client, until
from tests.chaos.store_server import can_cut_power
from tests.chaos.trial import Hurts, Plan, Row, Scenario, under_load, verdict_on

ROOM = 96 * 1024
"""Bytes that a full store still had."""


def killed(stage: Stage, plan: Plan) -> Row:
    """kill -9 of the store, which is the broker, too, and a new start."""

    def hurt(callers: Callers, hurts: Hurts) -> None:
        before = _deaths(stage)
        for _ in range(plan.kills):
            stage.store.kill()
            hurts.now()
            time.sleep(plan.dice.random())
            stage.store.start()
            time.sleep(1 + plan.dice.random())
        hurts.remarks.append(f"ended by themselves: {', '.join(map(str, _since(before, _deaths(stage)))) or 'none'}")

    return under_load(stage, hurt)


def power_cut(stage: Stage, plan: Plan) -> Row:
    """The store dies, and with it all that was not fsynced."""

    def hurt(callers: Callers, hurts: Hurts) -> None:
        gone = 0
        for _ in range(plan.kills):
            gone += stage.store.cut_power()
            hurts.now()
            stage.store.start()
            time.sleep(1 + plan.dice.random())
        hurts.remarks.append(f"{gone} bytes that were written and not fsynced are gone")

    return under_load(stage, hurt, events=16, pace=0.1)


def power_cut_everysec(stage: Stage, plan: Plan) -> Row:
    """The same with a store that fsyncs once a second: the control, in which promises have to break."""
    row = power_cut(stage, plan)
    return Row(
        row.hurts, row.updates, row.verdict, row.recovery, (*row.remarks, "control: losses expected"), control=True
    )


def full(stage: Stage, plan: Plan) -> Row:
    """maxmemory is reached: nothing new is taken in, what was taken in is finished."""

    def hurt(callers: Callers, hurts: Hurts) -> None:
        store = stage.store.client()
        for _ in range(max(1, plan.kills // 2)):
            store.config_set("maxmemory", int(store.info("memory")["used_memory"]) + ROOM)
            hurts.now()
            time.sleep(4)
            store.config_set("maxmemory", 0)
            time.sleep(2)

    return under_load(stage, hurt)


def broker_forgets(stage: Stage, plan: Plan) -> Row:
    """Everything in the broker is deleted at once: queues, bindings, what was reserved."""

    def hurt(callers: Callers, hurts: Hurts) -> None:
        broker = stage.store.client(database=1)
        for _ in range(2 * plan.kills):
            broker.flushdb()
            hurts.now()
            time.sleep(0.3 + plan.dice.random())

    return under_load(stage, hurt)


def forgetful(stage: Stage, plan: Plan) -> Row:
    """A store that would evict or not persist: nothing is taken in until it is mended."""
    callers, hurts, store = Callers(stage), Hurts(), stage.store.client()
    target, broken = callers.target(CLOUD), 0
    for settings, mended in (
        (
            {"maxmemory": str(2**30), "maxmemory-policy": "allkeys-lru"},
            {"maxmemory": "0", "maxmemory-policy": "noeviction"},
        ),
        ({"appendonly": "no"}, {"appendonly": "yes"}),
    ):
        _configure(store, settings)
        hurts.now()
        time.sleep(6)  # asked again every five seconds
        broken += _taken_in(stage, callers, target)
        _configure(store, mended)
        until(lambda: int(store.info("persistence")["aof_rewrite_in_progress"]) == 0, 10)
    callers.ask(target, 0)
    row = verdict_on(callers, hurts)
    return Row(row.hurts, row.updates, row.verdict + Verdict(lost=broken), row.recovery, ("refused while it was so",))


def scripts_flushed(stage: Stage, plan: Plan) -> Row:
    """SCRIPT FLUSH: every script is unknown again."""

    def hurt(callers: Callers, hurts: Hurts) -> None:
        store = stage.store.client()
        for _ in range(5 * plan.kills):
            store.script_flush()
            hurts.now()
            time.sleep(plan.dice.random() / 2)

    return under_load(stage, hurt)


def still(stage: Stage, plan: Plan) -> Row:
    """SIGSTOP of the store for three seconds, longer than a lease."""

    def hurt(callers: Callers, hurts: Hurts) -> None:
        for _ in range(max(1, plan.kills // 2)):
            stage.store.stand_still()
            time.sleep(3)
            hurts.now()
            stage.store.go_on()
            time.sleep(2)

    return under_load(stage, hurt)


def _configure(store: object, settings: Mapping[str, str]) -> None:
    for name, value in settings.items():
        store.config_set(name, value)  # type: ignore[attr-defined]


def _taken_in(stage: Stage, callers: Callers, target: Mapping[str, str]) -> int:
    """How many of three updates were answered with 202 although they must not be."""
    with client(stage) as api:
        asked = [_ask(api, callers, target, number) for number in range(3)]
    return asked.count(202)


def _ask(api: httpx.Client, callers: Callers, target: Mapping[str, str], number: int) -> int:
    body = {"target": {name: target[name] for name in ("mailbox", "event")}, "set": {"subject": "Nobody"}}
    return api.post("/v1/updates", json=body, headers={"Idempotency-Key": f"forgetful-{number}"}).status_code


def _since(before: Sequence[str], after: Sequence[str]) -> list[str]:
    return list((Counter(after) - Counter(before)).elements())


def _deaths(stage: Stage) -> list[str]:
    return [f"{name} with exit code {code}" for name, codes in stage.deaths.items() for code in codes]


_CUT = (
    Scenario("R2", "power cuts, appendfsync always", power_cut, fsync="always"),
    Scenario("R2-", "power cuts, appendfsync everysec", power_cut_everysec, fsync="everysec"),
)

STORES = (
    Scenario("R1", "kill -9 of the store and broker", killed, short=True),
    *(_CUT if can_cut_power() else ()),
    Scenario("R4", "the store is full", full),
    Scenario("R5", "the broker forgets everything", broker_forgets, short=True),
    Scenario("R6", "a store that evicts or does not persist", forgetful),
    Scenario("V3", "the store forgets our scripts", scripts_flushed),
    Scenario("E2", "the store stands still for 3 s", still),
)
