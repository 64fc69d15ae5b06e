"""The web process as it is run, spoken to byte by byte: nothing that one parser reads in another way gets through."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.webhooks.given import KEY
from tests.webhooks.wire import BODY, Wire, asking, chunked, get, request, serving


@pytest.fixture(scope="module")
def wire(store_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with serving(store_server, tmp_path_factory.mktemp("wire")) as wire:
        yield wire


LENGTH = f"Content-Length: {len(BODY)}"
CHUNKED = "Transfer-Encoding: chunked"
SMUGGLED = get("/livez")


def test_a_plain_request_is_answered(wire: Wire) -> None:
    assert wire.statuses(asking(BODY, LENGTH, key="plain")) == [202]
    assert wire.statuses(asking(chunked(BODY[:10], BODY[10:]), CHUNKED, key="chunked")) == [202]


@pytest.mark.parametrize("second", ["Idempotency-Key: other", "idempotency-key: twice", "Idempotency-Key:"])
def test_two_idempotency_keys_are_none(wire: Wire, second: str) -> None:
    answer = wire.say(asking(BODY, LENGTH, second, key="twice"))
    assert b" 400 " in answer.splitlines()[0]
    assert b"An Idempotency-Key is one key" in answer
    assert wire.statuses(asking(BODY, LENGTH, key="twice,and-once")) == [202], "a comma may be in a key"


@pytest.mark.parametrize(
    "lines",
    [
        (LENGTH, CHUNKED),
        (CHUNKED, LENGTH),
        (LENGTH, "Content-Length: 0"),
        ("Content-Length: 0", LENGTH),
        (LENGTH, LENGTH),
        (f"Content-Length: {len(BODY)}, {len(BODY)}",),
        (f"Content-Length: +{len(BODY)}",),
        ("Content-Length: -1",),
        ("Content-Length: 0x10",),
        ("Content-Length: 1e2",),
        ("Content-Length:",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: identity, chunked, chunked",),
        (CHUNKED, CHUNKED),
        ("Transfer-Encoding:\x0bchunked",),
        ("Transfer-Encoding : chunked",),
        (" Transfer-Encoding: chunked",),
        ("Bad Header: x", LENGTH),
        ("X-Null: a\x00b", LENGTH),
        ("X-Bare: a\rb", LENGTH),
    ],
)
def test_a_request_with_two_lengths_or_none_that_is_clear_is_refused_and_nothing_is_smuggled(
    wire: Wire, lines: tuple[str, ...]
) -> None:
    statuses = wire.statuses(asking(BODY, *lines, key="smuggling") + SMUGGLED)
    assert len(statuses) == 1, statuses
    assert statuses[0] in (400, 501)


@pytest.mark.parametrize(
    "body",
    [
        b"zz\r\nx\r\n0\r\n\r\n",
        b"-1\r\nx\r\n0\r\n\r\n",
        b"0x3\r\nabc\r\n0\r\n\r\n",
        b"3\r\nabcdef\r\n0\r\n\r\n",
        b"3\nabc\n0\n\n",
    ],
)
def test_chunks_that_are_none_are_refused(wire: Wire, body: bytes) -> None:
    statuses = wire.statuses(asking(body, CHUNKED, key="chunks"))
    assert statuses[:1] == [400]


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (asking(b"", CHUNKED), 413),
        (request("POST", "/v1/updates", b"", CHUNKED), 401),
        (request("POST", "/v1/clients/hr/updates", b"", CHUNKED), 413),
    ],
    ids=["a client", "a stranger", "who has not shown yet who it is"],
)
def test_a_chunked_body_without_end_is_refused_and_not_kept(wire: Wire, head: bytes, status: int) -> None:
    before = wire.resident()
    endless = b"%x\r\n%s\r\n" % (65536, b" " * 65536)
    heard = wire.say(head, *[endless] * 500)
    assert heard.startswith(b"HTTP/1.1 %d " % status) or heard == b""  # or cut off before the answer could be read
    assert wire.resident() - before < 16 * 1024
    assert wire.statuses(get("/livez")) == [200]


def test_a_body_that_nobody_reads_is_not_taken_for_the_next_request(wire: Wire) -> None:
    stranger = request("POST", "/v1/updates", SMUGGLED, f"Content-Length: {len(SMUGGLED)}")
    assert wire.statuses(stranger + get("/nowhere")) == [401, 404]
    nowhere = request("POST", "/nowhere", SMUGGLED, f"Content-Length: {len(SMUGGLED)}")
    assert wire.statuses(nowhere + get("/livez")) == [404, 200]


def test_who_sends_a_body_that_is_too_long_to_be_read_is_told_that_the_connection_ends(wire: Wire) -> None:
    answer = wire.say(asking(BODY, f"Content-Length: {1 << 19}", key="long") + bytes(1 << 19))
    assert b" 413 " in answer.splitlines()[0]
    assert b"Connection: close" in answer
    assert b"Connection: keep-alive" in wire.say(asking(BODY, LENGTH, key="short"))


def test_a_body_that_breaks_off_is_never_taken_for_the_whole(wire: Wire) -> None:
    assert 202 not in wire.statuses(asking(BODY, f"Content-Length: {len(BODY) + 5}", key="broken"))
    assert 202 not in wire.statuses(asking(chunked(BODY)[:-5], CHUNKED, key="broken"))


def test_a_compressed_body_is_refused_and_not_inflated(wire: Wire) -> None:
    bomb = gzip.compress(b'{"a": "' + b"x" * 50_000_000 + b'"}')
    before = wire.resident()
    assert wire.statuses(asking(bomb, f"Content-Length: {len(bomb)}", "Content-Encoding: gzip")) == [415]
    assert wire.resident() - before < 16 * 1024
    assert wire.statuses(asking(chunked(bomb), "Transfer-Encoding: gzip, chunked"))[:1] in ([400], [415], [501])


@pytest.mark.parametrize(
    "path",
    [
        "/v1/updates/../../livez",
        "/v1/updates/%2e%2e/%2e%2e/livez",
        "/v1/updates/..%2f..%2flivez",
        "/v1/updates/upd_%00",
        "/v1/updates/upd_%0d%0aX-Injected:%201",
        "/v1/updates/upd_x%3fstate=queued",
        "/v1/updates/upd_x%23",
        "/v1/updates/%25252e",
        "/v1/updates/%ff%fe",
        "/v1/updates/;x",
        "/v1/updates/\\..\\x",
        "/v1/updates//",
        "/v1/updates/" + "a" * 7000,
    ],
)
def test_an_id_leads_nowhere_but_to_an_update(wire: Wire, path: str) -> None:
    heard = wire.say(get(path, Authorization=f"Bearer {KEY}"))
    assert re.match(rb"HTTP/1\.1 40[04] ", heard), heard
    assert b"\r\nX-Injected" not in heard


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /v1/updates/a\x00b HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/updates/ x HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /livez HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n" + b"X: y\r\n" * 100 + b"\r\n",
        b"GET /livez HTTP/1.1\r\nX: " + b"y" * 9000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 100 + b"\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_what_is_no_request_gives_no_5xx_and_nobody_else_notices(wire: Wire, raw: bytes) -> None:
    heard = wire.say(raw)
    assert re.match(rb"(HTTP/1\.1 (4\d\d|505) |$)", heard), heard
    assert wire.statuses(get("/livez")) == [200]


@pytest.mark.parametrize(
    ("raw", "status", "told"),
    [
        (get("/v1/updates?cursor=" + "a" * 9000), 414, "Request Line is too large"),
        (b"GET /livez HTTP/1.1\r\nX: " + b"y" * 9000 + b"\r\n\r\n", 431, "limit request headers"),
        (b"GET /livez HTTP/9.9\r\nHost: x\r\n\r\n", 400, "9, 9"),
        (b"GET /livez \xfc HTTP/1.1\r\n\r\n", 400, "\u00fc"),
        (asking(BODY, "Transfer-Encoding: xchunked"), 501, "xchunked"),
    ],
)
def test_what_is_no_request_is_answered_with_a_problem(wire: Wire, raw: bytes, status: int, told: str) -> None:
    head, _, body = wire.say(raw).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"Content-Type: application/problem+json" in head
    assert f"Content-Length: {len(body)}".encode() in head
    problem = json.loads(body)
    assert (problem["type"], problem["status"]) == ("/problems/malformed", status)
    assert told in problem["detail"]


def test_what_is_no_request_is_logged_without_a_word_of_it(store_server: str, tmp_path: Path) -> None:
    with serving(store_server, tmp_path) as wire:
        wire.say(request("GET", "/livez?of=anna", b"", f"Authorization Bearer {KEY}"))
        wire.say(b"GET /livez?of=anna HTTP/9\r\n\r\n")
    log = (tmp_path / "log").read_text()
    assert not [word for word in (KEY, "anna") if word in log]
    lines = [json.loads(line) for line in log.splitlines()]
    assert [line["problem"] for line in lines if line.get("status") == 400] == ["malformed", "malformed"]
