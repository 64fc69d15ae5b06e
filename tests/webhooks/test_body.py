from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.body import BYTES_AT_MOST, LEVELS_AT_MOST, NotJson, TooLarge, parse, receive


def _nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"{", "not JSON"),
        (b"{}{}", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b"[]", "must be a JSON object"),
        (b'"a"', "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        ('{"a": "é"}'.encode("latin-1"), "not UTF-8"),
        ("{}".encode("utf-16"), "not UTF-8"),
        ("{}".encode("utf-16-le"), "not JSON"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"\\udfff": 1}', "surrogate"),
        (b'{"a": "\xed\xa0\x80"}', "not UTF-8"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": Infinity}', "Infinity"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": -1e999}', "too large"),
        (b'{"a": 9223372036854775808}', "64 bits"),
        (b'{"a": -9223372036854775809}', "64 bits"),
        (b'{"a": ' + b"9" * 5000 + b"}", "64 bits"),
        (b'{"a": "\x00"}', "not JSON"),
        (b'{"subject": 1, "b": 2, "subject": 3}', "'subject' stands twice"),
        (b'{"a": [{"x": 1, "\\u0078": 2}]}', "'x' stands twice"),
    ],
)
def test_what_two_parsers_could_read_differently_is_refused_by_name(raw: bytes, said: str) -> None:
    with pytest.raises(NotJson, match=said):
        parse(raw)


def test_twenty_levels_are_allowed() -> None:
    assert parse(_nested(LEVELS_AT_MOST))


@pytest.mark.parametrize("raw", [_nested(LEVELS_AT_MOST + 1), _nested(3000), b"[" * 100_000, b'{"a":' * 50_000])
def test_more_levels_are_refused_before_they_are_parsed(raw: bytes) -> None:
    with pytest.raises(NotJson, match="levels deep"):
        parse(raw)


def test_brackets_in_strings_are_no_levels() -> None:
    assert parse(json.dumps({"a": "[{" * 100, 'b\\"[': '\\"[[' * 100}).encode())


def test_a_string_that_does_not_end_is_scanned_in_one_go() -> None:
    with pytest.raises(NotJson):
        parse(b'{"a": "' + b'\\"' * 100_000)


_text = st.text(st.characters(exclude_categories=["Cs"]))
_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_text, inner),
    max_leaves=15,
)


@given(st.dictionaries(_text, _json, max_size=5))
def test_json_is_read_as_it_was_written(document: dict[str, object]) -> None:
    assert parse(json.dumps(document).encode()) == document
    assert parse(json.dumps(document, ensure_ascii=False).encode()) == document


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_a_sentence(raw: bytes) -> None:
    try:
        parse(raw)
    except NotJson as error:
        assert str(error)


@pytest.mark.parametrize("declared", [None, 10])
def test_a_body_that_is_too_long_is_never_cut(declared: int | None) -> None:
    with pytest.raises(TooLarge):
        receive(io.BytesIO(b"x" * (BYTES_AT_MOST + 1)), declared)


def test_a_body_that_says_it_is_too_long_is_not_read() -> None:
    stream = io.BytesIO(b"x")
    with pytest.raises(TooLarge):
        receive(stream, BYTES_AT_MOST + 1)
    assert stream.tell() == 0


def test_a_body_that_breaks_off_is_not_the_whole() -> None:
    with pytest.raises(NotJson, match="ends before"):
        receive(io.BytesIO(b"{}"), 3)


def test_a_body_of_the_greatest_length_is_whole() -> None:
    assert len(receive(io.BytesIO(b"x" * BYTES_AT_MOST), None)) == BYTES_AT_MOST


def test_an_endless_body_is_not_read_to_its_end() -> None:
    class Endless:
        given = 0

        def read(self, size: int, /) -> bytes:
            self.given += size
            return b"x" * size

    stream = Endless()
    with pytest.raises(TooLarge):
        receive(stream, None)
    assert stream.given <= 2 * BYTES_AT_MOST


def test_a_transfer_that_breaks_is_the_callers_mistake() -> None:
    class Broken:
        def read(self, size: int, /) -> bytes:
            raise OSError("bad chunk")

    with pytest.raises(NotJson, match="to its end"):
        receive(Broken(), None)
