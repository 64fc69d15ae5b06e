"""The network between our processes, to Exchange and to the callers is hurt, and Exchange is slow or busy."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from datetime import datetime

from ops.sandbox.calls import Received
from ops.sandbox.faults import Fault
from ops.sandbox.process import free_port
from tests.chaos.callers import CLOUD, HQ, Callers
from tests.chaos.proxy import Mode, Proxy
from tests.chaos.stage import LEASE, Stage, settings_file
from tests.chaos.trial import Hurts, Plan, Row, Scenario, under_load, verdict_on
from tests.chaos.witness import testimony

WORKERS = ("worker", "worker.2")
HOSTS = 20
STORMY = 100
"""Mailboxes in the storm."""
RETRY_AFTER = 2.0
ROUNDING = 0.05
"""Seconds: a call that was under way when the pause began is none inside it."""


def to_the_store(modes: Sequence[Mode]) -> Callable[[Stage, Plan], Row]:
    """One worker of two reaches the store through a proxy: longer than its lease it does not."""

    def run(stage: Stage, plan: Plan) -> Row:
        proxy = Proxy(stage.store.port)
        url = f"redis://127.0.0.1:{proxy.port}/0"
        return _hurt_through(proxy, stage, plan, modes, {"RENDEZVOUS_STORE_URL": url}, WORKERS[:1])

    return run


def to_exchange(modes: Sequence[Mode]) -> Callable[[Stage, Plan], Row]:
    """Both workers reach Exchange through a proxy."""

    def run(stage: Stage, plan: Plan) -> Row:
        proxy = Proxy(int(stage.sandbox.url.rpartition(":")[2]))
        config = settings_file(
            stage.folder, "proxied.toml", stage.sandbox, stage.url, f"https://127.0.0.1:{proxy.port}"
        )
        return _hurt_through(proxy, stage, plan, modes, {"RENDEZVOUS_CONFIG": str(config)}, WORKERS)

    return run


def slow(stage: Stage, plan: Plan) -> Row:
    """Exchange answers after half a lease to two leases."""

    def hurt(callers: Callers, hurts: Hurts) -> None:
        for _ in itertools.islice(plan.turns(5), 200):
            held = LEASE * (0.5 + 1.4 * plan.dice.random())
            stage.sandbox.fail(Fault(effect="now", reply="own", hold=min(held, 3.9), skip=plan.dice.randrange(4)))
            hurts.now()
            time.sleep(0.5)

    return under_load(stage, hurt)


def storm(stage: Stage, plan: Plan) -> Row:
    """A hundred mailboxes say 429 with Retry-After, each as often as the dice say."""
    callers, hurts = Callers(stage), Hurts()
    mailboxes = [f"storm{number}@contoso.com" for number in range(STORMY)]
    for mailbox in mailboxes:
        stage.sandbox.create_mailbox(mailbox)
        for _ in range(plan.dice.randrange(1, 3)):
            stage.sandbox.fail(_busy(mailbox, plan.dice.randrange(3)))
    targets = [callers.target(mailbox) for mailbox in mailboxes]
    for step in range(3):
        for target in targets:
            callers.ask(target, step)
    hurts.now()
    testimony(callers)
    calls = [call for call in stage.sandbox.calls() if call.mailbox.lower().startswith("storm")]
    inside = calls_inside_pauses(calls)
    hurts.remarks += [
        f"{sum(call.status == 429 for call in calls)} times 429",
        f"{inside} calls inside a pause",
        calls_per_update(calls, len(callers.promises)),
    ]
    if inside:
        hurts.faults.append("calls inside a pause")
    return verdict_on(callers, hurts)


def dead_receiver(stage: Stage, plan: Plan) -> Row:
    """One of twenty callback hosts is dead: all callbacks to the others come. A host is a name with a port (its lane in
    workers/callbacks/callback), so that each of the others is a port of its own that leads to the sandbox."""
    callers, hurts = Callers(stage), Hurts()
    with ExitStack() as stack:
        port = int(stage.sandbox.url.rpartition(":")[2])
        doors = [stack.enter_context(closing(Proxy(port))) for _ in range(HOSTS - 1)]
        hosts = [f"https://127.0.0.1:{one}" for one in (free_port(), *(door.port for door in doors))]
        targets = [callers.target(CLOUD if number % 2 else HQ) for number in range(HOSTS)]
        hurts.now()
        for step in range(5):
            for number, (target, host) in enumerate(zip(targets, hosts, strict=True)):
                callers.ask(target, step, host=host, heard=number > 0)
        return verdict_on(callers, hurts)


def calls_inside_pauses(calls: Sequence[Received]) -> int:
    """Calls to a mailbox that came after a 429 for it and before its Retry-After was over."""
    inside, until_then = 0, dict[str, float]()
    for at, call in sorted(
        ((datetime.fromisoformat(call.at).timestamp(), call) for call in calls), key=lambda one: one[0]
    ):
        if at < until_then.get(call.mailbox, 0.0) - ROUNDING and at > until_then[call.mailbox] - RETRY_AFTER + ROUNDING:
            inside += 1
        if call.status == 429:
            until_then[call.mailbox] = at + RETRY_AFTER
    return inside


def calls_per_update(calls: Sequence[Received], updates: int) -> str:
    """Reads and writes that were not sent away. Calm costs one of each; a write that is sent away costs its read."""
    kinds = Counter(call.method for call in calls if call.status != 429)
    return f"{kinds['GET'] / updates:.2f} reads and {kinds['PATCH'] / updates:.2f} writes per update were let in"


def _busy(mailbox: str, skip: int) -> Fault:
    headers = {"Retry-After": str(int(RETRY_AFTER))}
    return Fault(
        reply="error", api="graph", mailbox=mailbox, status=429, code="TooManyRequests", headers=headers, skip=skip
    )


def _hurt_through(
    proxy: Proxy, stage: Stage, plan: Plan, modes: Sequence[Mode], own: dict[str, str], names: Sequence[str]
) -> Row:
    def hurt(callers: Callers, hurts: Hurts) -> None:
        for name in names:
            stage.restart(name, **own)
        time.sleep(1.5)
        for number in itertools.islice(plan.turns(), 20):
            proxy.become(modes[number % len(modes)])
            hurts.now()
            time.sleep(2 * LEASE)
            proxy.become("pass")
            time.sleep(1 + plan.dice.random())
        for name in names:
            stage.restart(name)

    try:
        return under_load(stage, hurt)
    finally:
        proxy.close()


NETWORK = (
    Scenario("N1", "a worker is cut off from the store (blackhole, reset, slow, dripping)",
             to_the_store(("blackhole", "cut", "late", "drip")), short=True),
    Scenario("N2", "the workers are cut off from Exchange (blackhole, reset, dripping)",
             to_exchange(("blackhole", "cut", "drip"))),
    Scenario("N3", "Exchange answers after half a lease to two leases", slow),
    Scenario("N4", "a hundred mailboxes say 429 with Retry-After", storm),
    Scenario("N5", "one of twenty callback hosts is dead", dead_receiver),
)  # fmt: skip
