from __future__ import annotations

import hashlib

import pytest

from webhooks.auth import client_of
from workers.settings import Client


def _client(name: str, *keys: str) -> Client:
    return Client(name=name, api_key_sha256=tuple(hashlib.sha256(key.encode()).hexdigest() for key in keys))


CLIENTS = (_client("none"), _client("hr", "old", "new"), _client("rooms", "other"))


@pytest.mark.parametrize(("key", "name"), [("old", "hr"), ("new", "hr"), ("other", "rooms")])
def test_each_key_of_a_client_lets_it_in(key: str, name: str) -> None:
    client = client_of(f"Bearer {key}", CLIENTS)
    assert client is not None
    assert client.name == name


def test_a_key_may_have_spaces_around_it_and_its_digest_capitals() -> None:
    (key,) = _client("hr", "new").api_key_sha256
    assert client_of("Bearer  new ", [Client(name="hr", api_key_sha256=(key.upper(),))]) is not None


def test_the_scheme_is_read_in_any_case() -> None:
    assert client_of("bEARER new", CLIENTS) is not None


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "new",
        "Basic new",
        "Bearer new x",
        "Bearer old,new",
        "Bearer \udcff",
        "Bearer " + hashlib.sha256(b"new").hexdigest(),
    ],
)
def test_nobody_else_is_let_in(header: str | None) -> None:
    assert client_of(header, CLIENTS) is None


def test_an_empty_key_is_no_key_even_if_its_digest_is_configured() -> None:
    assert client_of("Bearer ", (_client("careless", ""),)) is None
