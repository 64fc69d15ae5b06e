"""The sandbox as a WSGI application: the one place that knows Flask."""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, request

from ops.sandbox import console
from ops.sandbox.call import DROPPED, Call, Reply
from ops.sandbox.door import Door, Sight, Visit, enter
from ops.sandbox.ews.service import DOOR as EWS
from ops.sandbox.faults import Fault
from ops.sandbox.graph.service import DOOR as GRAPH
from ops.sandbox.world import World

METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]
DROP = "sandbox.drop"

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def create_app(renew: Callable[[], World]) -> Wsgi:
    """The application over a world. ``renew`` makes a fresh world, now and at every reset."""
    worlds = [renew()]
    app = Flask(__name__)
    app.url_map.merge_slashes = False

    def at(prefix: str, answer: Callable[[Call], Reply]) -> None:
        """A client that dies while it sends has made no request."""

        def view(path: str = "") -> Response:
            call = _call(path)
            return _respond(answer(call) if len(call.body) >= (request.content_length or 0) else DROPPED)

        for rule in (prefix, f"{prefix}<path:path>"):
            app.add_url_rule(rule, prefix, view, methods=METHODS)

    def reset() -> None:
        old, worlds[0] = worlds[0], renew()
        worlds[0].provider.adopt(old.provider)
        old.journal.file = None
        old.faults.clear()

    at("/graph/v1.0/", lambda call: enter(worlds[0], GRAPH, call))
    at("/EWS/", lambda call: enter(worlds[0], EWS, call))
    at("/callbacks/", lambda call: worlds[0].catcher.catch(call))
    at("/sandbox/", lambda call: console.answer(worlds[0], call, reset))
    at("/", lambda call: enter(worlds[0], TOKEN, call))
    return _dropping(app.wsgi_app)


def _look(world: World, call: Call) -> Sight:
    return Sight("", "read" if call.reads else "write", call.path.rpartition("/")[2])


def _failure(fault: Fault, visit: Visit) -> Reply:
    body = {
        "error": fault.code or "temporarily_unavailable",
        "error_description": fault.text or "AADSTS90033: Try again.",
    }
    return Reply.of_json(body, fault.status, fault.headers)


TOKEN = Door(
    "token",
    look=_look,
    answer=lambda world, visit: world.provider.answer(visit.call),
    failure=_failure,
    crowded=lambda world, inside, visit: None,
)


def _call(path: str) -> Call:
    return Call(
        method=request.method,
        path=path,
        query=dict(request.args.items()),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.get_data(),
        base=request.host_url.rstrip("/"),
    )


def _respond(reply: Reply) -> Response:
    if reply.dropped:
        request.environ[DROP] = True
    response = Response(reply.body, reply.status or 500, dict(reply.headers))
    if "Content-Type" not in reply.headers:
        del response.headers["Content-Type"]
    return response


def _dropping(app: Wsgi) -> Wsgi:
    """Reset the connection of replies that are to be dropped."""

    def dropping(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        started: list[tuple[Any, ...]] = []
        body = list(app(environ, lambda *head: started.append(head)))
        if environ.get(DROP):
            _reset(environ["gunicorn.socket"])
            raise OSError(errno.ECONNRESET, "dropped on request")
        start_response(*started[0])
        return body

    return dropping


def _reset(connection: socket.socket) -> None:
    """Send RST: the kernel's socket is closed at once, and the server is left with a file that reads as ended.

    Closing the Python object instead would make gunicorn's own clean-up fail halfway.
    """
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    ours, theirs = socket.socketpair()
    theirs.close()
    os.dup2(ours.fileno(), connection.fileno())
    ours.close()
