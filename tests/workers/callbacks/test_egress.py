"""The one client for what leaves to callers, on real sockets."""

from __future__ import annotations

import gzip
import socket
import time
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpcore
import pytest

from tests.workers.receiver import OK, Behaviour, answering, certified, dripping, reading_slowly, receiving, silent
from workers.callbacks import egress, public_net
from workers.callbacks.egress import ANSWER_LIMIT, EXCHANGE_DEADLINE, Answer, DeadlineExceeded, post
from workers.callbacks.public_net import Blocked, Network
from workers.tls import trust

HERE: tuple[Network, ...] = (ip_network("127.0.0.1/32"),)
CONTEXT = trust()
LATE = (DeadlineExceeded, httpcore.TimeoutException)


def sent(url: str, body: bytes = b"{}", networks: tuple[Network, ...] = HERE, context: Any = CONTEXT) -> Answer:
    headers = [("host", url.split("/")[2]), ("content-length", str(len(body))), ("accept-encoding", "identity")]
    return post(url, headers, body, networks=networks, context=context)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short deadline: what does not keep it goes on for as long as the receiver likes."""
    monkeypatch.setattr(egress, "EXCHANGE_DEADLINE", 0.4)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same where something has to arrive before the deadline."""
    monkeypatch.setattr(egress, "EXCHANGE_DEADLINE", 2)


@pytest.fixture
def resolving(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A resolver that answers every name below example.com with the addresses in this list."""
    addresses = ["127.0.0.1"]
    real = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *rest: Any, **options: Any) -> list[Any]:
        if not host.rstrip(".").endswith(".example.com"):
            return real(host, port, *rest, **options)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return addresses


@pytest.mark.parametrize("path", ["/a;tenant=4", "/a;tenant=4?x=1;y=2", "/a;b/c;", "/?x=;1"])
def test_what_follows_a_semicolon_in_the_url_is_asked_for_too(path: str) -> None:
    with receiving(answering(OK)) as receiver:
        sent(f"http://127.0.0.1:{receiver.port}{path}")
    assert receiver.heads[0].startswith(f"POST {path} HTTP/1.1")


def test_it_posts_what_it_is_given_and_tells_what_came_back() -> None:
    with receiving(
        answering(b"HTTP/1.1 202 Yes\r\nServer: x\r\nRetry-After: 7\r\ncontent-length: 2\r\n\r\nok")
    ) as receiver:
        answer = sent(receiver.url, b'{"a": 1}')
    assert (answer.status, answer.body, answer.header("retry-after")) == (202, b"ok", "7")
    assert receiver.heads[0].startswith("POST /hook HTTP/1.1\r\n")
    assert receiver.bodies == [b'{"a": 1}']


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    with receiving(answering(OK)) as elsewhere:
        moved = f"HTTP/1.1 307 Moved\r\nlocation: {elsewhere.url}\r\ncontent-length: 0\r\n\r\n".encode()
        with receiving(answering(moved)) as receiver:
            assert sent(receiver.url).status == 307
        assert len(receiver.heads) == 1
    assert elsewhere.heads == []


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(
    "behaviour",
    [
        dripping(b"HTTP/1.1 200 OK\r\nx: ", b"x"),
        dripping(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"),
        dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        silent,
    ],
    ids=["header", "headers", "interim", "nothing"],
)
def test_however_an_answer_is_dripped_it_ends_at_the_deadline(behaviour: Behaviour) -> None:
    with receiving(behaviour) as receiver, pytest.raises(LATE):
        sent(receiver.url)


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize(
    "behaviour",
    [
        dripping(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", b"x"),
        dripping(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        answering(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nx"),
    ],
    ids=["body", "chunks", "short"],
)
def test_a_status_is_an_answer_however_its_body_ends(behaviour: Behaviour) -> None:
    with receiving(behaviour) as receiver:
        answer = sent(receiver.url)
    assert (answer.status, answer.body.strip(b"x")) == (200, b"")


@pytest.mark.usefixtures("hurried")
def test_however_slowly_a_request_is_taken_it_ends_at_the_deadline() -> None:
    body = b"x" * 40_000_000
    with receiving(reading_slowly) as receiver, pytest.raises(LATE):
        sent(receiver.url, body)
    assert receiver.taken < len(body) / 2


@pytest.mark.usefixtures("hurried")
def test_a_tls_handshake_that_never_ends_ends_at_the_deadline() -> None:
    def mute(connection: socket.socket, receiver: Any) -> None:
        receiver.stopping.wait(30)

    with receiving(mute) as receiver, pytest.raises(LATE):
        sent(receiver.url.replace("http:", "https:"))


def test_an_answer_in_pieces_is_read_to_its_end() -> None:
    pieces = b"1\r\na\r\n", b"1\r\nb\r\n", b"0\r\n\r\n"
    with receiving(answering(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"".join(pieces))) as receiver:
        assert sent(receiver.url).body == b"ab"


def test_an_answer_without_an_end_is_cut_as_soon_as_it_is_too_long() -> None:
    began = time.monotonic()
    with receiving(dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 8192, every=0)) as receiver:
        assert len(sent(receiver.url).body) == ANSWER_LIMIT
    assert time.monotonic() - began < EXCHANGE_DEADLINE / 2


def test_a_compressed_answer_is_not_inflated() -> None:
    bomb = gzip.compress(b"\0" * 1_000_000)
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {len(bomb)}\r\n\r\n".encode()
    with receiving(answering(head + bomb)) as receiver:
        assert sent(receiver.url).body == bomb[:ANSWER_LIMIT]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 500_000,
    ],
    ids=["none", "garbage", "huge header"],
)
def test_a_broken_answer_is_a_protocol_error(answer: bytes) -> None:
    with receiving(answering(answer)) as receiver, pytest.raises((httpcore.ProtocolError, httpcore.NetworkError)):
        sent(receiver.url)


def test_an_address_that_does_not_answer_is_not_the_last_one(
    resolving: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = httpcore.SyncBackend.connect_tcp

    def connect_tcp(self: httpcore.SyncBackend, host: str, *rest: Any, **options: Any) -> httpcore.NetworkStream:
        if host == "127.0.0.2":
            raise httpcore.ConnectTimeout("timed out")
        return real(self, host, *rest, **options)

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect_tcp)
    resolving[:] = ["127.0.0.2", "127.0.0.1"]
    with receiving(answering(OK)) as receiver:
        url = receiver.url.replace("127.0.0.1", "hooks.example.com")
        assert sent(url, networks=(ip_network("127.0.0.0/8"),)).status == 200


def test_nobody_there_is_a_network_error() -> None:
    with receiving(answering(OK)) as receiver:
        url = receiver.url
    with pytest.raises(httpcore.NetworkError):
        sent(url)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "[::ffff:127.0.0.1]", "[::1]"])
def test_an_address_that_is_not_allowed_is_never_dialled(host: str) -> None:
    with receiving(answering(OK)) as receiver:
        with pytest.raises(Blocked):
            sent(f"https://{host}:{receiver.port}/", networks=())
        with pytest.raises(Blocked):
            sent(f"http://{host}:{receiver.port}/", networks=(ip_network("10.0.0.0/8"),))
    assert receiver.heads == []


def test_a_public_address_is_judged_as_one_however_the_scheme_is_spelled() -> None:
    with pytest.raises(Blocked, match="callbacks to the public internet go to the ports"):
        sent("HTTPS://93.184.216.34:25/", networks=())


@pytest.mark.parametrize("answer", [["10.0.0.1"], ["127.0.0.1", "10.0.0.1"], ["10.0.0.1", "127.0.0.1"]])
def test_a_name_with_an_address_that_is_not_allowed_is_never_dialled(resolving: list[str], answer: list[str]) -> None:
    resolving[:] = answer
    with receiving(answering(OK)) as receiver, pytest.raises(Blocked):
        sent(f"http://hooks.example.com:{receiver.port}/")
    assert receiver.heads == []


def test_the_address_that_was_judged_is_the_one_that_is_dialled(
    resolving: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    judge = public_net.judged

    def judge_and_rebind(host: str, *rest: Any, **options: Any) -> Any:
        asked.append(host)
        allowed = judge(host, *rest, **options)
        resolving[:] = ["10.0.0.1"]
        return allowed

    monkeypatch.setattr(egress, "judged", judge_and_rebind)
    with receiving(answering(OK)) as receiver:
        assert sent(f"http://hooks.example.com:{receiver.port}/").status == 200
    assert asked == ["hooks.example.com"]


def test_every_call_is_judged_anew(resolving: list[str]) -> None:
    with receiving(answering(OK)) as receiver:
        url = f"http://hooks.example.com:{receiver.port}/"
        assert sent(url).status == 200
        resolving[:] = ["10.0.0.1"]
        with pytest.raises(Blocked):
            sent(url)
    assert len(receiver.heads) == 1


def test_the_next_address_is_tried_where_one_does_not_answer(resolving: list[str]) -> None:
    resolving[:] = ["127.0.0.9", "127.0.0.1"]
    with receiving(answering(OK)) as receiver:
        answer = sent(f"http://hooks.example.com:{receiver.port}/", networks=(ip_network("127.0.0.0/8"),))
    assert answer.status == 200


def test_proxies_from_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving(answering(OK)) as proxy, receiving(answering(OK)) as receiver:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert sent(receiver.url).status == 200
    assert (len(receiver.heads), proxy.heads) == (1, [])


@pytest.mark.usefixtures("resolving")
def test_the_name_is_what_tls_checks(tmp_path: Path) -> None:
    server, certificate = certified("hooks.example.com", tmp_path)
    context = trust(certificate)
    with receiving(answering(OK), tls=server) as receiver:
        for host in ("hooks.example.com", "hooks.example.com."):
            assert sent(f"https://{host}:{receiver.port}/", context=context).status == 200
        with pytest.raises(httpcore.NetworkError, match="Hostname mismatch"):
            sent(f"https://other.example.com:{receiver.port}/", context=context)
    assert len(receiver.heads) == 2


@pytest.mark.usefixtures("resolving")
def test_a_certificate_that_nobody_vouches_for_is_no_certificate(tmp_path: Path) -> None:
    server, _ = certified("hooks.example.com", tmp_path)
    with receiving(answering(OK), tls=server) as receiver, pytest.raises(httpcore.NetworkError, match="self-signed"):
        sent(f"https://hooks.example.com:{receiver.port}/")
    assert receiver.heads == []
