import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.graph.wire import ANNA, Wire, exchange
from workers.exchange import ExchangeError
from workers.graph.surrogates import replaced

ANY_TEXT = st.text(st.characters(), max_size=20) | st.text('\\"u\ud83d\ude00d8', max_size=12)


@given(ANY_TEXT)
def test_only_half_characters_are_replaced(text: str) -> None:
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert json.loads(replaced(json.dumps(text).encode())) == whole


@given(st.text(), st.booleans())
def test_text_of_whole_characters_stays_as_it_is(text: str, escaped: bool) -> None:
    body = json.dumps(text, ensure_ascii=escaped).encode()
    assert json.loads(replaced(body)) == text


@pytest.mark.parametrize(
    ("body", "after"),
    [
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'"\uD83D\uDE00 \ud83d"', "\U0001f600 \ufffd"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"\ude00\ud83d"', "\ufffd\ufffd"),
        (rb'"\\ud83d"', r"\ud83d"),
        (rb'"\\\ud83d"', "\\\ufffd"),
        (b'"\xed\xa0\xbd"', "\ufffd\ufffd\ufffd"),
    ],
)
def test_a_pair_is_a_character_and_an_escaped_backslash_is_none(body: bytes, after: str) -> None:
    assert json.loads(replaced(body)) == after


def test_an_event_and_an_error_with_half_a_character_can_be_kept_and_told() -> None:
    event = rb'{"id": "AAMk/1", "@odata.etag": "W/1", "subject": "half \ud83d"}'
    refusal = rb'{"error": {"code": "ErrorInvalidRequest", "message": "half \ud83d"}}'
    graph = exchange(Wire(httpx.Response(200, content=event), httpx.Response(400, content=refusal)))
    assert graph.read(ANNA, ["subject"]).properties == {"subject": "half \ufffd"}
    with pytest.raises(ExchangeError, match="half \ufffd"):
        graph.read(ANNA, ["subject"])
