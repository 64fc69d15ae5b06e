"""What passes for an address, and what httpx or the resolver would stumble over."""

from __future__ import annotations

import pytest

from workers.address import is_address


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000",
        "https://x.example/EWS/",
        "http://[::1]:8000",
        "https://xn--bcher-kva.example",
        "http://127.1",
        "http://web_1",
    ],
)
def test_an_address_that_can_be_asked_is_one(url: str) -> None:
    assert is_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "", "x.example", "127.0.0.1:8000", "ftp://x", "http://", "http://[", "http://exa mple", "http://x:99999",
        "http://10.0.0.256:8000", "http://☃.example", "http://xn--", "http://x..y", f"http://{'a' * 64}.example",
        "http://x\x00", "http://x/\x00", "https://bücher.example",
    ],
)  # fmt: skip
def test_what_no_client_can_ask_is_none(url: str) -> None:
    assert not is_address(url)
