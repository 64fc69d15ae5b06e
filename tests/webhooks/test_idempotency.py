from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.idempotency import BadKey, fingerprint, key_of


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("abc", "abc"),
        ('"abc"', "abc"),
        ('  "abc" ', "abc"),
        (r'"a\"b\\c"', r'a"b\c'),
        ("8e03978e-40d5-43e8-bc93-6894a57f9324", "8e03978e-40d5-43e8-bc93-6894a57f9324"),
        ("a" * 255, "a" * 255),
    ],
)
def test_a_key_is_the_same_quoted_and_bare(header: str, key: str) -> None:
    assert key_of(header) == key


@pytest.mark.parametrize("header", ["", '""', '"', '"abc', "x y", '"x y"', '"a"b"', r'"a\b"', "é", "a\tb", "a" * 256])
def test_what_is_no_key_is_refused(header: str) -> None:
    with pytest.raises(BadKey):
        key_of(header)


@given(st.text())
def test_any_header_is_a_key_or_refused(header: str) -> None:
    with suppress(BadKey):
        assert 1 <= len(key_of(header)) <= 255


def test_bodies_are_compared_as_json() -> None:
    one = json.loads('{"a": [1, {"b": "é", "c": null}], "d": 1.5}')
    other = json.loads('{ "d":1.50,"a":[1,{"c":null,"b":"\\u00e9"}] }')
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize("other", [{"a": [2, 1]}, {"a": [1, 2], "b": None}, {"a": ["1", 2]}, {"a": [True, 2]}, {}])
def test_other_json_is_another_body(other: dict[str, object]) -> None:
    assert fingerprint({"a": [1, 2]}) != fingerprint(other)
