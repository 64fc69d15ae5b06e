"""What a caller makes of answers that say nothing, and of none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from tests.chaos import callers as module
from tests.chaos.callers import Callers
from tests.chaos.stage import Stage

Answer = int | type[httpx.TransportError]


def asked(monkeypatch: pytest.MonkeyPatch, update: Answer, letter: Answer = 404) -> Callers:
    """A caller of a Rendezvous that answers so when it is asked for an update, and for its dead letter."""

    def answer(request: httpx.Request) -> httpx.Response:
        said = letter if "dead-letters" in request.url.path else update
        if not isinstance(said, int):
            raise said("nobody is there")
        return httpx.Response(said, json={"state": "running"})

    def client(_: Any) -> httpx.Client:
        return httpx.Client(base_url="http://rendezvous", transport=httpx.MockTransport(answer))

    monkeypatch.setattr(module, "client", client)
    return Callers(cast("Stage", SimpleNamespace()))


@pytest.mark.parametrize(
    ("update", "letter", "told"),
    [
        (200, 404, {"state": "running"}),
        (404, 200, {"state": "dead"}),
        (404, 404, {"state": "unheard of"}),
    ],
)
def test_an_update_is_told_of_by_itself_or_by_its_dead_letter(
    monkeypatch: pytest.MonkeyPatch, update: int, letter: int, told: dict[str, str]
) -> None:
    caller = asked(monkeypatch, update, letter)
    assert caller.state("upd_1") == told
    assert caller.unreadable == ({"upd_1"} if letter == 200 else set())


@pytest.mark.parametrize("nothing", [503, httpx.ReadError, httpx.ReadTimeout])
def test_where_nobody_answers_nothing_is_said_of_an_update_for_now(
    monkeypatch: pytest.MonkeyPatch, nothing: Answer
) -> None:
    assert asked(monkeypatch, nothing).state("upd_1") is None
    assert asked(monkeypatch, 404, nothing).state("upd_1") is None
