"""What goes wrong, when, and how often.

A fault answers three questions about a call: when is it carried out (now, never, later), how long is it held, and
what does the client see (the true reply, a reset connection, an error, nonsense). So "applied, but the reply is lost"
is ``effect="now", reply="drop"`` and "answers success without applying" is ``effect="pretend", reply="own"``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from threading import Event, Lock, Timer
from typing import Literal

from ops.sandbox.call import DROPPED, Reply

Api = Literal["graph", "ews", "token"]
Effect = Literal["now", "never", "later", "pretend"]
ReplyKind = Literal["own", "drop", "error", "fault", "message", "html", "garbage", "empty", "truncated", "redirect"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    ``api``, ``method``, ``mailbox``: which calls (None: all). ``times``: how many of them (None: until cleared);
    ``skip``: how many pass before. ``reply``: ``error`` is an HTTP status with the API's own error body (Graph, token),
    ``fault`` a SOAP Fault, ``message`` an EWS response message of class Error with HTTP 200.
    """

    effect: Effect = "never"
    reply: ReplyKind = "error"
    api: Api | None = None
    method: Literal["read", "write"] | None = None
    mailbox: str | None = None
    times: int | None = 1
    skip: int = 0
    hold: float = 0.0
    """Seconds before anything is done; until the faults are cleared at the longest."""
    later: float = 0.0
    """Seconds from the reply until a call of effect ``later`` is carried out."""
    status: int = 503
    code: str = ""
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    back_off: int | None = None
    """``BackOffMilliseconds`` in a SOAP Fault or an EWS message."""

    def concerns(self, api: Api, method: Literal["read", "write"], mailbox: str) -> bool:
        """Whether the fault applies to such a call."""
        return (
            self.api in (None, api)
            and self.method in (None, method)
            and (self.mailbox is None or self.mailbox.lower() == mailbox.lower())
        )


@dataclass(slots=True)
class Faults:
    """The faults in force, oldest first; the first that concerns a call is used up by it."""

    _waiting: list[Fault] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)
    _cleared: Event = field(default_factory=Event)

    def add(self, fault: Fault) -> None:
        """Add a fault behind the others."""
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        """Everything works again, and calls that are held go on."""
        with self._lock:
            self._waiting.clear()
            self._cleared.set()
            self._cleared = Event()

    def waiting(self) -> tuple[Fault, ...]:
        """The faults that are still to happen."""
        return tuple(self._waiting)

    def take(self, api: Api, method: Literal["read", "write"], mailbox: str) -> Fault | None:
        """The fault that this call meets, if any, once it has been held."""
        with self._lock:
            fault, cleared = self._next(api, method, mailbox), self._cleared
        if fault is not None:
            cleared.wait(fault.hold)
        return fault

    def _next(self, api: Api, method: Literal["read", "write"], mailbox: str) -> Fault | None:
        for place, fault in enumerate(self._waiting):
            if not fault.concerns(api, method, mailbox):
                continue
            if fault.skip:
                self._waiting[place] = replace(fault, skip=fault.skip - 1)
                return None
            if fault.times is not None:
                self._waiting[place : place + 1] = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
            return fault
        return None


def perform(fault: Fault | None, work: Callable[[bool], Reply], failure: Callable[[Fault], Reply]) -> Reply:
    """Carry out a call under a fault. ``work(pretend)`` does the call, ``failure`` makes the API's own error of a
    fault."""
    if fault is None:
        return work(False)
    reply = Reply()
    if fault.effect in ("now", "pretend") or (fault.effect == "never" and fault.reply in ("own", "truncated")):
        reply = work(fault.effect != "now")
    elif fault.effect == "later":
        run_later(fault.later, lambda: work(False))
    return _seen(fault, reply, failure)


def run_later(seconds: float, work: Callable[[], object]) -> None:
    """Run work in a thread of its own after some seconds."""
    timer = Timer(seconds, work)
    timer.daemon = True
    timer.start()


def _seen(fault: Fault, reply: Reply, failure: Callable[[Fault], Reply]) -> Reply:
    match fault.reply:
        case "own":
            return reply.having(fault.headers)
        case "drop":
            return DROPPED
        case "truncated":
            return replace(reply, body=reply.body[: len(reply.body) // 2])
        case "html":
            return Reply(fault.status, _HTML, {"Content-Type": "text/html", **fault.headers})
        case "garbage":
            return Reply(200, b"\x00\xff{<not an answer", {"Content-Type": "application/octet-stream"})
        case "empty":
            return Reply(fault.status, b"", fault.headers)
        case "redirect":
            return Reply(302, b"", {"Location": "/owa/auth/logon.aspx", **fault.headers})
        case _:
            return failure(fault)


_HTML = (
    b"<html><head><title>Runtime Error</title></head><body><h1>Server Error in '/EWS' Application.</h1></body></html>"
)
