import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from pydantic import SecretStr

from tests.workers.graph.wire import (
    ANNA,
    EVENT,
    GROUP,
    ME,
    PATCH,
    STANDS,
    Wire,
    backend,
    exchange,
    failure,
)
from workers.exchange import (
    MARKER_ID,
    AccessDenied,
    Away,
    ExchangeError,
    NotFound,
    Patch,
    Refused,
    Throttled,
    Unavailable,
    Unknown,
    VersionMoved,
)
from workers.exchange.wire import Wire as RealWire
from workers.graph.connection import Connection
from workers.graph.exchange import GraphExchange
from workers.graph.resources import GraphEvent
from workers.tls import trust
from workers.update import Target


def test_a_read_answers_with_the_event_in_its_own_zone() -> None:
    marker = [{"id": MARKER_ID, "value": "upd_2 upd_1"}]
    wire = Wire(httpx.Response(200, json=EVENT | {"singleValueExtendedProperties": marker}))
    assert exchange(wire).read(ANNA, ["subject", "start"]) == GraphEvent(
        id="AAMk/1",
        version='W/"2"',
        is_meeting=True,
        marker=("upd_2", "upd_1"),
        properties={
            "subject": "new",
            "start": {"dateTime": "2026-12-01T09:00:00", "timeZone": "Pacific Standard Time"},
        },
    )


def test_a_read_asks_in_utc_for_what_it_needs() -> None:
    wire = Wire(httpx.Response(200, json=EVENT))
    exchange(wire).read(ANNA, ["subject"])
    (request,) = wire.seen
    assert request.method == "GET"
    assert request.url.raw_path.startswith(b"/v1.0/users/anna@contoso.com/events/AAMk%2F1?$select=id,")
    assert request.url.params["$expand"] == f"singleValueExtendedProperties($filter=id eq '{MARKER_ID}')"
    assert b"+" not in request.url.query
    assert request.headers["Prefer"] == 'outlook.timezone="UTC"'
    assert request.headers["Authorization"] == "Bearer app"


def test_a_write_sends_only_the_change_and_the_marker_against_the_version_read() -> None:
    wire = Wire(httpx.Response(200, json=EVENT, headers={"request-id": "r-1"}))
    exchange(wire).write(ANNA, STANDS, PATCH)
    (request,) = wire.seen
    assert (request.method, request.url.raw_path) == ("PATCH", b"/v1.0/users/anna@contoso.com/events/AAMk%2F1")
    assert json.loads(request.content) == {
        "subject": "new",
        "singleValueExtendedProperties": [{"id": MARKER_ID, "value": "upd_2 upd_1"}],
    }
    assert request.headers["If-Match"] == 'W/"1"'
    assert request.headers["Content-Type"] == "application/json"


def test_a_write_answers_with_the_event_as_it_stands_now() -> None:
    wire = Wire(httpx.Response(200, json=EVENT, headers={"request-id": "r-1"}))
    written = exchange(wire).write(ANNA, STANDS, PATCH)
    assert (written.version, written.request_id) == ('W/"2"', "r-1")
    assert written.event == GraphEvent("AAMk/1", 'W/"2"', True, ("upd_2", "upd_1"), {"subject": "new"})


def test_a_yes_under_the_version_that_was_read_bears_no_marker_of_ours() -> None:
    written = exchange(Wire(EVENT | {"@odata.etag": STANDS.version, "subject": "old"})).write(ANNA, STANDS, PATCH)
    assert written.event is not None
    assert written.event.marker == STANDS.marker


def test_every_call_can_be_found_in_microsofts_logs() -> None:
    wire = Wire(httpx.Response(200, json=EVENT), httpx.Response(200, json=EVENT))
    graph = exchange(wire)
    graph.read(ANNA, [])
    graph.write(ANNA, STANDS, PATCH)
    ids = {request.headers["client-request-id"] for request in wire.seen}
    assert len(ids) == 2
    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", identifier) for identifier in ids)
    assert {request.headers["return-client-request-id"] for request in wire.seen} == {"true"}
    assert all(request.headers["User-Agent"].startswith("Rendezvous") for request in wire.seen)


def test_a_call_without_an_answer_is_told_by_the_id_that_it_bore() -> None:
    wire = Wire(httpx.ReadTimeout("slow"))
    with pytest.raises(Unknown) as caught:
        exchange(wire).write(ANNA, STANDS, PATCH)
    assert caught.value.request_id == wire.seen[0].headers["client-request-id"]


def test_a_text_body_is_asked_back_as_text() -> None:
    wire = Wire(httpx.Response(200, json=EVENT))
    exchange(wire).write(
        ANNA, STANDS, Patch({"body": {"contentType": "text", "content": "x"}}, "sendToNone", ("upd_2",))
    )
    assert wire.seen[0].headers["Prefer"] == 'outlook.timezone="UTC", outlook.body-content-type="text"'


@pytest.mark.parametrize("answer", [httpx.Response(204), httpx.Response(200, content=b" ")])
def test_a_yes_without_the_event_is_followed_by_a_read(answer: httpx.Response) -> None:
    wire = Wire(answer, httpx.Response(200, json=EVENT))
    written = exchange(wire).write(ANNA, STANDS, PATCH)
    assert [request.method for request in wire.seen] == ["PATCH", "GET"]
    assert written.event is not None
    assert (written.version, written.event.properties) == ('W/"2"', {"subject": "new"})


@pytest.mark.parametrize("read_back", [failure(503), httpx.ReadTimeout("slow"), httpx.Response(200, content=b"?")])
def test_a_yes_stays_a_yes_when_the_event_cannot_be_read(read_back: httpx.Response | Exception) -> None:
    wire = Wire(httpx.Response(204, headers={"ETag": 'W/"2"', "request-id": "r-1"}), read_back)
    written = exchange(wire).write(ANNA, STANDS, PATCH)
    assert (written.event, written.version, written.request_id) == (None, 'W/"2"', "r-1")


@pytest.mark.parametrize(
    ("answer", "on_read", "on_write"),
    [
        (failure(404, "ErrorItemNotFound"), NotFound, NotFound),
        (failure(429, **{"Retry-After": "7"}), Throttled, Throttled),
        (failure(412, "ErrorIrresolvableConflict"), Unavailable, VersionMoved),
        (failure(504, "UnknownError"), Unavailable, Unknown),
        (httpx.Response(302, headers={"Location": "https://login.example/"}), Unavailable, Unknown),
        (httpx.Response(200, content=b"<html>"), Unavailable, Unknown),
        (httpx.Response(200, content=b'{"value": []}'), Unavailable, Unknown),
        (httpx.ReadTimeout("slow"), Away, Unknown),
        (httpx.RemoteProtocolError("gone"), Away, Unknown),
        (httpx.ConnectError("refused"), Away, Away),
    ],
)
def test_nothing_is_repeated_and_every_failure_has_its_class(
    answer: httpx.Response | Exception, on_read: type[ExchangeError], on_write: type[ExchangeError]
) -> None:
    wire = Wire(answer, answer)
    graph = exchange(wire)
    with pytest.raises(ExchangeError) as reading:
        graph.read(ANNA, ["subject"])
    with pytest.raises(ExchangeError) as writing:
        graph.write(ANNA, STANDS, PATCH)
    assert (type(reading.value), type(writing.value)) == (on_read, on_write)
    assert len(wire.seen) == 2


def test_the_wait_that_graph_asks_for_is_kept() -> None:
    with pytest.raises(Throttled) as caught:
        exchange(Wire(failure(429, **{"Retry-After": "7"}))).read(ANNA, [])
    assert caught.value.retry_after == 7


def test_a_refused_token_is_renewed_and_the_write_sent_once_more() -> None:
    wire = Wire(failure(401, "InvalidAuthenticationToken"), httpx.Response(200, json=EVENT))
    exchange(wire).write(ANNA, STANDS, PATCH)
    assert [request.content for request in wire.seen] == [wire.seen[0].content] * 2


def test_a_token_refused_twice_is_access_denied() -> None:
    wire = Wire(failure(401), failure(401))
    with pytest.raises(AccessDenied):
        exchange(wire).write(ANNA, STANDS, PATCH)
    assert len(wire.seen) == 2


def test_a_write_that_could_not_sign_in_was_not_sent() -> None:
    def no_sign_in(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "login.example"
        raise httpx.ReadTimeout("slow")

    with pytest.raises(Unavailable):
        exchange(no_sign_in).write(ANNA, STANDS, PATCH)


@pytest.mark.parametrize(("target", "token"), [(ANNA, "app"), (ME, "person"), (GROUP, "person")])
def test_me_and_groups_are_a_persons_and_mailboxes_the_applications(target: Target, token: str) -> None:
    wire = Wire(httpx.Response(200, json=EVENT))
    exchange(wire, refresh_token=SecretStr("r")).read(target, [])
    assert wire.seen[0].headers["Authorization"] == f"Bearer {token}"


@pytest.mark.parametrize(("target", "advised"), [(ANNA, False), (ME, True), (GROUP, True)])
def test_a_group_without_a_delegated_sign_in_says_what_is_missing(target: Target, advised: bool) -> None:
    with pytest.raises(AccessDenied) as caught:
        exchange(Wire(failure(403, "ErrorAccessDenied"))).read(target, [])
    assert ("refresh_token_env" in caught.value.detail) is advised


@pytest.mark.parametrize(
    "target",
    [
        Target(backend="cloud", event="A" * 70_000, mailbox="anna@contoso.com"),
        Target(backend="cloud", event="..", mailbox="anna@contoso.com"),
    ],
)
def test_a_target_that_graph_cannot_address_is_refused_before_anything_is_sent(target: Target) -> None:
    wire = Wire()
    for attempt in (lambda: exchange(wire).read(target, []), lambda: exchange(wire).write(target, STANDS, PATCH)):
        with pytest.raises(Refused, match="target"):
            attempt()
    assert wire.seen == []


def test_a_change_that_graph_cannot_make_is_refused_before_anything_is_sent() -> None:
    wire = Wire()
    with pytest.raises(Refused, match="iCalUId"):
        exchange(wire).write(ANNA, STANDS, Patch({"iCalUId": "x"}, "sendToNone", ("upd_2",)))
    assert wire.seen == []


class Signed(httpx.BaseTransport):
    """Signs in without a socket; everything else goes over a real one."""

    def __init__(self) -> None:
        self._login = httpx.MockTransport(Wire())
        self._socket = RealWire(trust())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        transport = self._login if request.url.host == "login.example" else self._socket
        return transport.handle_request(request)

    def close(self) -> None:
        self._socket.close()


@contextmanager
def listening(behave: Callable[[socket.socket], object]) -> Iterator[str]:
    """A server that reads one request and then behaves."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                behave(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1.0"
        thread.join(5)


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    "behave",
    [
        lambda connection: None,
        _reset,
        lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
        lambda connection: connection.sendall(b"SSH-2.0-OpenSSH\r\n"),
        lambda connection: connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"
        ),
        lambda connection: connection.recv(1),
    ],
    ids=["closed", "reset", "truncated", "not HTTP", "not gzip", "silent"],
)
def test_a_lost_reply_to_a_write_is_unknown(behave: Callable[[socket.socket], object]) -> None:
    with listening(behave) as url:
        connection = Connection(backend(base_url=url, timeout=0.3), Signed())
        graph = GraphExchange(connection)
        with pytest.raises(ExchangeError) as caught:
            graph.write(ANNA, STANDS, PATCH)
        connection.close()
    assert type(caught.value) is Unknown


def test_a_refused_connection_means_that_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(Unavailable):
        GraphExchange(Connection(backend(base_url=url), Signed())).write(ANNA, STANDS, PATCH)


def test_a_failed_tls_handshake_means_that_nothing_was_sent() -> None:
    with listening(lambda connection: connection.sendall(b"this is not TLS")) as url:
        https = url.replace("http", "https")
        with pytest.raises(Unavailable):
            GraphExchange(Connection(backend(base_url=https), Signed())).write(ANNA, STANDS, PATCH)
