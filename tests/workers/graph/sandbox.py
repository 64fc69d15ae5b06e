"""The sandbox's Graph behind the socket, without the socket: a whole mailbox to read and write."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx

from ops.sandbox import seed
from ops.sandbox.call import Call
from ops.sandbox.door import enter
from ops.sandbox.event import Event, graph_form
from ops.sandbox.graph.service import DOOR
from ops.sandbox.store import Change
from ops.sandbox.tokens import TENANT
from ops.sandbox.world import World
from tests.workers.graph.wire import backend
from workers.graph.connection import Connection
from workers.graph.exchange import GraphExchange
from workers.update import Target

BASE = "/graph/v1.0/"


@dataclass
class Mailbox:
    """Anna's, with one event of hers. ``calls``: method and the path behind the event's id."""

    world: World = field(default_factory=World)
    calls: list[tuple[str, str]] = field(default_factory=list)
    event_id: str = ""

    @classmethod
    def with_event(cls, **properties: Any) -> Mailbox:
        mailbox = cls()
        seed.plant(mailbox.world)
        mailbox.event_id = mailbox.world.store.create(seed.ANNA, Change(properties), "human").id
        return mailbox

    @property
    def target(self) -> Target:
        return Target(backend="cloud", event=graph_form(self.event_id), mailbox=seed.ANNA.address)

    @property
    def event(self) -> Event:
        return self.world.store.event(self.event_id)

    @property
    def mails(self) -> int:
        return len([mail for mail in self.world.journal.invitations if mail.event == self.event_id])

    def exchange(self) -> GraphExchange:
        configured = backend(
            base_url=f"https://graph.example{BASE.rstrip('/')}",
            authority=f"https://login.example/{TENANT}",
            client_id=seed.CLIENT_ID,
            client_secret=seed.CLIENT_SECRET,
        )
        return GraphExchange(Connection(configured, httpx.MockTransport(self._answer)))

    def edit(self, **properties: Any) -> None:
        """Somebody changes the event."""
        self.world.store.write(self.event_id, lambda _: Change(properties), "human")

    def _answer(self, request: httpx.Request) -> httpx.Response:
        call = Call(
            method=request.method,
            path=request.url.path.removeprefix(BASE).lstrip("/"),
            query=dict(request.url.params),
            headers=dict(request.headers),
            body=request.content,
            base=f"https://{request.url.host}",
        )
        if request.url.host == "login.example":
            reply = self.world.provider.answer(call)
        else:
            self.calls.append((call.method, call.path.rpartition(graph_form(self.event_id))[2]))
            reply = enter(self.world, DOOR, call)
        return httpx.Response(reply.status, content=reply.body, headers=dict(reply.headers))
