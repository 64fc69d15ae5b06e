"""What every call goes through: faults, the limit of calls at once, the answer, its record. Each API is one door."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ops.sandbox.call import Call, Reply
from ops.sandbox.calls import Received
from ops.sandbox.event import utc_now
from ops.sandbox.faults import Api, Fault, perform
from ops.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Sight:
    """What we know of a call before it is carried out. ``mailbox``: empty where it is about none, or not known."""

    mailbox: str
    method: Literal["read", "write"]
    operation: str


@dataclass(frozen=True, slots=True)
class Visit:
    """A call as it is carried out: its request id, and whether it only pretends."""

    call: Call
    request_id: str
    pretend: bool = False


@dataclass(frozen=True, slots=True)
class Door:
    """An API: what its calls are, how it answers them, how it words a failure and too many at once in a mailbox."""

    api: Api
    look: Callable[[World, Call], Sight]
    answer: Callable[[World, Visit], Reply]
    failure: Callable[[Fault, Visit], Reply]
    crowded: Callable[[World, int, Visit], Reply | None]


def enter(world: World, door: Door, call: Call) -> Reply:
    """Answer one call and record it."""
    number, request_id, at = world.calls.number(), str(uuid.uuid4()), utc_now().isoformat()
    sight = door.look(world, call)
    visit = Visit(call, request_id)
    with world.calls.inside(sight.mailbox) as inside:
        time.sleep(world.behaviour.latency)
        too_many = door.crowded(world, inside, visit) if sight.mailbox else None
        reply = too_many or perform(
            world.faults.take(door.api, sight.method, sight.mailbox),
            lambda pretend: door.answer(world, Visit(call, request_id, pretend)),
            lambda fault: door.failure(fault, visit),
        )
    world.calls.record(
        Received(
            number=number,
            at=at,
            api=door.api,
            operation=sight.operation,
            mailbox=sight.mailbox,
            method=call.method,
            path=call.path,
            query=dict(call.query),
            headers={name: value for name, value in call.headers.items() if name != "authorization"},
            body="" if door.api == "token" else call.body.decode(errors="replace"),
            status=reply.status,
            request_id=request_id,
        )
    )
    return reply
