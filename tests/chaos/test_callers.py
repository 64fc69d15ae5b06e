"""What a caller makes of answers that say nothing, and of none; and how far it goes ahead."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from tests.chaos import callers as module
from tests.chaos.callers import AHEAD, Callers
from tests.chaos.stage import Stage
from tests.until import until

Answer = int | type[httpx.TransportError]


def asked(monkeypatch: pytest.MonkeyPatch, update: Answer, letter: Answer = 404) -> Callers:
    """A caller of a Rendezvous that takes every update, and answers so when it is asked for one, and for its dead
    letter."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(202, json={"id": "upd_1"})
        said = letter if "dead-letters" in request.url.path else update
        if not isinstance(said, int):
            raise said("nobody is there")
        return httpx.Response(said, json={"state": "running"})

    def client(_: Any) -> httpx.Client:
        return httpx.Client(base_url="http://rendezvous", transport=httpx.MockTransport(answer))

    monkeypatch.setattr(module, "client", client)
    sandbox = SimpleNamespace(url="http://sandbox", create_event=lambda *_: SimpleNamespace(id="E", graph_id="E"))
    return Callers(cast("Stage", SimpleNamespace(sandbox=sandbox)), events=1, pace=0.001)


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


@pytest.mark.parametrize("update", [None, {"state": "queued"}, {"state": "running"}, {"state": "retrying"}])
def test_a_caller_is_so_many_steps_ahead_and_no_more(
    monkeypatch: pytest.MonkeyPatch, update: dict[str, str] | None
) -> None:
    assert steps(monkeypatch, update) == AHEAD


@pytest.mark.parametrize("state", ["succeeded", "dead", "cancelled", "unheard of"])
def test_a_caller_goes_on_when_its_first_steps_have_ended(monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    assert steps(monkeypatch, {"state": state}) > AHEAD


def steps(monkeypatch: pytest.MonkeyPatch, update: dict[str, str] | None) -> int:
    """How many steps a caller has asked for when it has looked three times whether one has ended."""
    looks: list[str] = []

    def state(_: Callers, asked_for: str) -> dict[str, str] | None:
        looks.append(asked_for)
        return update

    monkeypatch.setattr(Callers, "state", state)
    caller = asked(monkeypatch, 200)
    caller.start()
    assert until(lambda: len(looks) >= 3, 20)
    caller.stop()
    return len(caller.promises)
