"""What may be dialled: every address and every spelling that got somebody else into trouble."""

from __future__ import annotations

import re
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.callbacks.public_net import Blocked, Network, is_public, judged, refusal

LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.1/32"),)
FORBIDDEN = (
    # this network, private, shared, loopback, link-local (and the clouds' metadata servers)
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200",  # noqa: S104 - never bound
    "100.127.255.255",
    "127.0.0.1", "127.1.2.3", "127.255.255.254", "169.254.0.1", "169.254.169.254", "169.254.170.2", "172.16.0.1",
    "172.31.255.255", "192.168.0.1", "192.168.255.255", "168.63.129.16",
    # protocol assignments, documentation, 6to4 relays, benchmarks, multicast, reserved, broadcast
    "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    # unspecified, loopback, and IPv4 wrapped in IPv6: compatible, mapped, translated, ISATAP
    "::", "::1", "::127.0.0.1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.0.0.1",
    "::ffff:169.254.169.254", "::ffff:168.63.129.16", "::ffff:0:7f00:1", "::5efe:7f00:1", "::8.8.8.8",
    # NAT64, local NAT64, 6to4, Teredo
    "64:ff9b::7f00:1", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:7f00:1::1",
    "2002:a9fe:a9fe::1", "2001::1", "2001:0:7f00:1::", "2001:10::1", "2001:20::1", "2001:1ff::1",
    # discard-only, dummy, documentation, segment routing, unique local, link-local, site-local, multicast
    "100::1", "100:0:0:1::1", "2001:db8::1", "3fff::1", "3fff:fff::1", "5f00::1", "fc00::1", "fd00::1", "fd00:ec2::254",
    "fe80::1", "febf::1", "fec0::1", "feff::1", "ff00::1", "ff02::1", "ff0e::1",
)  # fmt: skip
PUBLIC = (
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
    "168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0",
    "192.0.3.0", "192.88.98.255", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "2001:200::1", "2001:4860:4860::8888", "2003::1", "2606:4700:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8",
)  # fmt: skip
SPELLINGS_OF_LOOPBACK = ("127.1", "2130706433", "0x7f.1", "0x7f000001", "0177.0.0.1", "0177.1", "127.0.1", "localhost")


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_that_is_not_public_is_not_dialled(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_dialled(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.integers(0, 2**32 - 1))
def test_wrapping_an_ipv4_address_makes_it_no_more_public(number: int) -> None:
    inner = IPv4Address(number)
    assert is_public(IPv6Address(f"::ffff:{inner}")) == is_public(inner)
    assert not is_public(IPv6Address(f"::{inner}"))
    assert not is_public(IPv6Address(f"64:ff9b::{inner}"))
    assert not is_public(IPv6Address((0x2002 << 112) | (number << 80)))


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_we_allow_nothing_that_python_calls_private(address: IPv4Address | IPv6Address) -> None:
    assert address.is_global or not is_public(address)


@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_url_that_names_such_an_address_is_refused_at_once(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    said = refusal(f"https://{host}/hook", ())
    assert said is not None
    assert "is not a public address" in said


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/calendar",
        "HTTPS://hooks.example.com:8443/a/b?c=d&e=%20",
        "https://1.1.1.1/",
        "https://[2606:4700:4700::1111]:443/",
        "https://xn--bcher-kva.example/x",
        "https://a.b",
    ],
)
def test_a_plain_url_is_taken(url: str) -> None:
    assert refusal(url, ()) is None


@pytest.mark.parametrize(
    "url",
    [
        "", "hooks.example.com", "//hooks.example.com/", "https:hooks.example.com", "https:///x", "https://",
        "ftp://hooks.example.com/", "file:///etc/passwd", "gopher://x/", "javascript:alert(1)", "https+unix://x/",
        "https://user@hooks.example.com/", "https://user:pass@hooks.example.com/", "http://a@127.0.0.1:80\\@evil.com/",
        "https://evil.com\\@127.0.0.1/", "https://hooks.example.com\\x", "https://hooks.example.com/#fragment",
        "https://hooks.example.com#@evil.com/", "https://hooks.example.com/a b", "https://hooks.example.com/\t",
        "ht\ttps://hooks.example.com/", "https://hooks.example.com/\r\nX: y", "https://hooks.example.com/\n",
        "https://hooks.example.com/\x00", "https://hooks.exa\tmple.com/", " https://hooks.example.com/",
        "https://①②⑦.⓪.⓪.①/", "https://bücher.example/", "https://ｅxample.com/", "https://example。com/",
        "https://hooks.example.com/ü", "https://[fe80::1%25eth0]/", "https://[fe80::1%eth0]/", "https://[v1.x]/",
        "https://[::1/", "https://::1/", "https://[:::]/", "https://[1.2.3.4]/", "https://[]/", "https://[::1]x/",
        "https://hooks.example.com:0/", "https://hooks.example.com:65536/", "https://hooks.example.com:99999/",
        "https://hooks.example.com:-1/", "https://hooks.example.com:443x/", "https://hooks.example.com:/",
        "https://hooks.example.com:٤٤٣/", "https://%31%32%37.0.0.1/", 'https://hooks.example.com/"',
        "https://a/" + "x" * 2048,
    ],
)  # fmt: skip
def test_a_url_that_two_parsers_could_read_differently_is_refused_with_a_sentence(url: str) -> None:
    assert isinstance(refusal(url, LOOPBACK), str)


@pytest.mark.parametrize(
    "host", ["a..b", ".a", "a.", "256.1.1.1", "1.2.3.4.5", "a.1", "a.0x7f", "x" * 64, ".".join(["x" * 60] * 5)]
)
def test_what_no_resolver_could_find_is_refused_at_once_and_not_tried_for_days(host: str) -> None:
    if host == "a.":
        assert refusal(f"https://{host}/", LOOPBACK) is None, "a name may say that it is whole"
    else:
        assert "is not the name of a host" in (refusal(f"https://{host}/", LOOPBACK) or "")


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_no_url_breaks_the_judge(rest: str) -> None:
    for url in (rest, f"https://{rest}", f"https://[{rest}]/", f"https://a:{rest}/"):
        assert refusal(url, ()) is None or isinstance(refusal(url, ()), str)


@pytest.mark.parametrize(
    ("url", "networks", "taken"),
    [
        ("http://hooks.example.com/", (), False),
        ("http://hooks.example.com/", LOOPBACK, True),
        ("http://1.1.1.1/", LOOPBACK, False),
        ("http://127.0.0.1:8080/", LOOPBACK, True),
        ("http://[::ffff:127.0.0.1]/", LOOPBACK, True),
        ("https://127.0.0.1/", LOOPBACK, True),
        ("https://127.0.0.2/", LOOPBACK, False),
        ("https://1.1.1.1/", LOOPBACK, True),
        ("https://localhost/", (), False),
        ("https://LocalHost./", (ip_network("10.0.0.0/8"),), False),
        ("http://a.localhost:8080/", (ip_network("10.0.0.0/8"),), False),
        ("http://localhost:8080/", LOOPBACK, True),
        ("http://localhost/", (ip_network("::1/128"),), True),
        ("https://localhost.example.com/", (), True),
    ],
)
def test_plain_http_and_private_addresses_only_inside_the_clients_networks(
    url: str, networks: tuple[Network, ...], taken: bool
) -> None:
    assert (refusal(url, networks) is None) is taken


@pytest.mark.parametrize(
    ("host", "said"),
    [("127.0.0.1", "127.0.0.1 is not a"), ("::1", "::1 is not a"), ("127.1", "127.1 is 127.0.0.1, which is not a")],
)
def test_an_address_is_said_to_be_another_only_where_it_is_spelled_so(host: str, said: str) -> None:
    with pytest.raises(Blocked, match=f"^{re.escape(said)} public address"):
        judged(host, 443, (), public_too=True)


@pytest.mark.parametrize("host", SPELLINGS_OF_LOOPBACK)
def test_however_loopback_is_spelled_it_is_judged_by_its_address(host: str) -> None:
    with pytest.raises(Blocked, match="not a public address"):
        judged(host, 443, (), public_too=True)


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1", "0177.0.0.1"])
def test_what_is_allowed_is_dialled_by_its_address(host: str) -> None:
    assert judged(host, 443, LOOPBACK, public_too=True) == [ip_address("127.0.0.1")]


@pytest.mark.parametrize("host", ["a..b", ".", "x" * 64 + ".example", "nowhere.invalid"])
def test_what_has_no_address_is_an_os_error(host: str) -> None:
    with pytest.raises(OSError, match=r".+"):
        judged(host, 443, (), public_too=True)


def answering(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize(
    "private", ["127.0.0.1", "10.0.0.1", "::1", "::ffff:10.0.0.1", "fe80::1%eth0", "2002:7f00:1::"]
)
def test_one_bad_address_among_good_ones_blocks_the_name(monkeypatch: pytest.MonkeyPatch, private: str) -> None:
    answering(monkeypatch, "1.1.1.1", private)
    with pytest.raises(Blocked):
        judged("hooks.example.com", 443, (), public_too=True)


def test_good_addresses_are_given_once_each_in_the_resolvers_order(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, "8.8.8.8", "1.1.1.1", "8.8.8.8")
    assert judged("hooks.example.com", 443, (), public_too=True) == [ip_address("8.8.8.8"), ip_address("1.1.1.1")]


def test_plain_http_does_not_leave_the_networks_even_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, "1.1.1.1")
    with pytest.raises(Blocked):
        judged("hooks.example.com", 80, LOOPBACK, public_too=False)


@pytest.mark.parametrize(
    ("port", "fine"), [("", True), (":443", True), (":8443", True), (":25", False), (":6379", False)]
)
def test_strangers_may_have_us_knock_at_web_ports_only(port: str, fine: bool) -> None:
    assert (refusal(f"https://hooks.example.com{port}/x", []) is None) is fine
    assert refusal(f"https://hooks.example.com{port}/x", [ip_network("10.0.0.0/8")]) is None, "it may be an own host"


def test_a_public_address_is_dialled_at_web_ports_only() -> None:
    assert judged("93.184.216.34", 443, [], public_too=True)
    with pytest.raises(Blocked, match="ports"):
        judged("93.184.216.34", 25, [ip_network("10.0.0.0/8")], public_too=True)
    assert judged("10.0.0.1", 25, [ip_network("10.0.0.0/8")], public_too=True)
