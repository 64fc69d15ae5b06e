"""The store and the broker are hurt."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import httpx

from tests.chaos.callers import CLOUD, Callers
from tests.chaos.judge import Verdict
from tests.chaos.preload import compiler
from tests.chaos.stage import Stage, client
from tests.chaos.standby import StoreWithStandby
from tests.chaos.store_server import StoreServer
from tests.chaos.trial import Hurts, Plan, Row, Scenario, under_load, verdict_on
from tests.until import until

ROOM = 96 * 1024
"""Bytes that a full store still had."""
CALM = 1.5
"""Seconds between two questions of a caller: a store that dies each second lets little be done, and what only waits
would not be at its end in time."""
CALLBACKS = ("callbacks_lost", "callbacks_doubled")


def killed(stage: Stage, plan: Plan) -> Row:
    """kill -9 of the store, which is the broker, too, and a new start."""

    def hurt(callers: Callers, hurts: Hurts) -> None:
        for _ in plan.turns():
            stage.store.kill()
            hurts.now()
            time.sleep(0.2 * plan.dice.random())
            stage.store.start()
            time.sleep(0.2 + 0.5 * plan.dice.random())

    return under_load(stage, hurt, pace=CALM)


def power_cut(stage: Stage, plan: Plan) -> Row:
    """The store dies, and with it all that was not fsynced."""

    def hurt(callers: Callers, hurts: Hurts) -> None:
        gone = 0
        for _ in plan.turns():
            gone += stage.store.cut_power()
            hurts.now()
            stage.store.start()
            time.sleep(0.2 + 0.5 * plan.dice.random())
        hurts.remarks.append(f"{gone} bytes that were written and not fsynced are gone")

    return under_load(stage, hurt, events=16, pace=CALM)


def power_cut_everysec(stage: Stage, plan: Plan) -> Row:
    """The same with a store that fsyncs once a second and does not tell: the control, in which promises break."""
    remark = "control: Rendezvous refuses such a store where it can see it (R6)"
    row = power_cut(stage, plan)
    return replace(row, remarks=(*row.remarks, remark), breaks=("lost", "misreported", *CALLBACKS))


def disk_full(stage: Stage, plan: Plan) -> Row:
    """The disk is full under the store: it ends at its next write, and at the first one after each new start."""

    def hurt(callers: Callers, hurts: Hurts) -> None:
        starts = 0
        for _ in itertools.islice(plan.turns(), 10):
            stage.store.disk("full")
            hurts.now()
            end = time.monotonic() + 2
            while time.monotonic() < end:
                time.sleep(0.1)
                if stage.store.died():
                    starts += 1
                    stage.store.start()
            stage.store.disk("good")
            if stage.store.died():
                stage.store.start()
            time.sleep(1.5)
        hurts.remarks.append(f"the store ended and was started again {starts} times")

    return under_load(stage, hurt)


def disk_slow(stage: Stage, plan: Plan) -> Row:
    """Each fsync takes half a second."""

    def hurt(callers: Callers, hurts: Hurts) -> None:
        for _ in itertools.islice(plan.turns(), 5):
            stage.store.disk("slow")
            hurts.now()
            time.sleep(4)
            stage.store.disk("good")
            time.sleep(1)

    return under_load(stage, hurt, events=4)


def failed_over(stage: Stage, plan: Plan) -> Row:
    """The standby is cut off, a second later the store dies and the standby takes over."""
    store = stage.store
    assert isinstance(store, StoreWithStandby)

    def hurt(callers: Callers, hurts: Hurts) -> None:
        time.sleep(1)
        store.part()
        time.sleep(1)
        hurts.now()
        store.take_over()
        time.sleep(4)

    remark = "control: what a standby has not copied is lost (ops/DEPLOYMENT.md); nothing is done twice"
    row = under_load(stage, hurt)
    return replace(row, remarks=(*row.remarks, remark), breaks=("lost", "misreported", *CALLBACKS))


def full(stage: Stage, plan: Plan) -> Row:
    """maxmemory is reached: nothing new is taken in, what was taken in is finished."""

    def hurt(callers: Callers, hurts: Hurts) -> None:
        store = stage.store.client()
        usual = str(store.config_get("maxmemory")["maxmemory"])
        for _ in itertools.islice(plan.turns(1 / 2), 5):
            store.config_set("maxmemory", int(store.info("memory")["used_memory"]) + ROOM)
            hurts.now()
            time.sleep(4)
            store.config_set("maxmemory", usual)
            time.sleep(2)

    return under_load(stage, hurt)


def broker_forgets(stage: Stage, plan: Plan) -> Row:
    """Everything in the broker is deleted at once: queues, bindings, what was reserved."""

    def hurt(callers: Callers, hurts: Hurts) -> None:
        broker = stage.store.client(database=1)
        for _ in plan.turns():
            broker.flushdb()
            hurts.now()
            time.sleep(0.3 + plan.dice.random())

    return under_load(stage, hurt)


def forgetful(stage: Stage, plan: Plan) -> Row:
    """A store that would evict or not persist: nothing is taken in until it is mended."""
    callers, hurts, store = Callers(stage), Hurts(), stage.store.client()
    target, answers = callers.target(CLOUD), list[int]()
    for settings, mended in (
        ({"maxmemory-policy": "allkeys-lru"}, {"maxmemory-policy": "noeviction"}),
        ({"appendfsync": "everysec"}, {"appendfsync": "always"}),
        ({"appendonly": "no"}, {"appendonly": "yes"}),
    ):
        _configure(store, settings)
        hurts.now()
        time.sleep(6)  # asked again every five seconds
        answers += _answers(stage, target)
        _configure(store, mended)
        until(lambda: int(store.info("persistence")["aof_rewrite_in_progress"]) == 0, 10)
    callers.ask(target, 0)
    refused = answers.count(503)
    hurts.remarks.append(f"{refused} of {len(answers)} questions refused with 503 while it was so")
    if refused < len(answers):
        hurts.faults.append("not refused while it was so")
    row = verdict_on(callers, hurts)
    return replace(row, verdict=row.verdict + Verdict(lost=answers.count(202)))


def scripts_flushed(stage: Stage, plan: Plan) -> Row:
    """SCRIPT FLUSH: every script is unknown again."""

    def hurt(callers: Callers, hurts: Hurts) -> None:
        store = stage.store.client()
        for _ in itertools.islice(plan.turns(5), 200):
            store.script_flush()
            hurts.now()
            time.sleep(plan.dice.random() / 2)

    return under_load(stage, hurt)


def still(stage: Stage, plan: Plan) -> Row:
    """SIGSTOP of the store for three seconds, longer than a lease."""

    def hurt(callers: Callers, hurts: Hurts) -> None:
        for _ in itertools.islice(plan.turns(1 / 2), 5):
            stage.store.stand_still()
            hurts.now()
            time.sleep(3)
            stage.store.go_on()
            time.sleep(2)

    return under_load(stage, hurt)


def _configure(store: object, settings: Mapping[str, str]) -> None:
    for name, value in settings.items():
        store.config_set(name, value)  # type: ignore[attr-defined]


def _answers(stage: Stage, target: Mapping[str, str]) -> list[int]:
    """What three updates were answered that may not be taken in."""
    with client(stage) as api:
        return [_ask(api, target, number) for number in range(3)]


def _ask(api: httpx.Client, target: Mapping[str, str], number: int) -> int:
    body = {"target": {name: target[name] for name in ("mailbox", "event")}, "set": {"subject": "Nobody"}}
    return api.post("/v1/updates", json=body, headers={"Idempotency-Key": f"forgetful-{number}"}).status_code


_WITNESSED = partial(StoreServer, preload="fsync_witness")
_FORGETTING = partial(_WITNESSED, fsync="everysec", silent=True)
_ON_A_BAD_DISK = partial(StoreServer, preload="bad_disk")

_ROBBED = (
    Scenario("R2", "power cuts, appendfsync always", power_cut, store=_WITNESSED,
             kind="power cuts", target=500, each=0.9),
    Scenario("R2-", "power cuts, appendfsync everysec", power_cut_everysec, store=_FORGETTING),
    Scenario("E1", "the store's disk is full", disk_full, store=_ON_A_BAD_DISK),
    Scenario("E2b", "each of the store's fsyncs takes half a second", disk_slow, store=_ON_A_BAD_DISK),
)  # fmt: skip

STORES = (
    Scenario("R1", "kill -9 of the store and broker", killed, short=True, store=StoreServer,
             kind="kills of the store", target=1000, each=0.7),
    *(_ROBBED if compiler() else ()),
    Scenario("R3", "a standby takes over that was cut off a second ago", failed_over, store=StoreWithStandby),
    Scenario("R4", "the store is full", full),
    Scenario("R5", "the broker forgets everything", broker_forgets, short=True,
             kind="broker flushes", target=100, each=0.8),
    Scenario("R6", "a store that evicts, does not persist, or fsyncs once a second", forgetful),
    Scenario("V3", "the store forgets our scripts", scripts_flushed),
    Scenario("E2", "the store stands still for 3 s", still),
)  # fmt: skip
