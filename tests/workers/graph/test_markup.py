"""Elements that know where they stand, whatever a stranger wrote around them."""

from __future__ import annotations

from collections import Counter

import pytest

from workers.graph import markup
from workers.graph.markup import Element, elements, text_within

MANY = 1000


def test_an_end_that_nothing_began_is_not_looked_for_among_all_that_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Counter[str]()

    class Watched(Element):
        def __getattribute__(self, name: str) -> object:
            asked[name] += 1
            return super().__getattribute__(name)

    monkeypatch.setattr(markup, "Element", Watched)
    assert len(elements("<b>" * MANY + "</i>" * MANY + "</b>" * MANY)) == MANY
    assert asked["tag"] <= 5 * MANY


def test_an_end_closes_the_last_of_its_kind_and_all_within() -> None:
    body = "<p><b>a<b>b<i>c</b>d</b>e</i></b>f</p>"
    assert [body[element.start : element.end] for element in elements(body)] == [
        body, "<b>a<b>b<i>c</b>d</b>", "<b>b<i>c</b>", "<i>c"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "tag",
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"],
)
@pytest.mark.parametrize("spelled", ["<{}>", "<{}/>"])
def test_what_can_hold_nothing_ends_with_its_tag(tag: str, spelled: str) -> None:
    alone = spelled.format(tag)
    body = f"<p>a{alone}b</p>"
    assert [body[element.start : element.end] for element in elements(body)] == [body, alone]


def test_what_can_hold_something_is_open_however_its_tag_ends() -> None:
    body = "<div/>a<b>b</b>"
    assert [body[element.start : element.end] for element in elements(body)] == [body, "<b>b</b>"]


def test_an_element_says_its_text_up_to_a_tag_that_is_never_finished() -> None:
    body = "<p>a" + "<" * 240_000
    (element,) = elements(body)
    assert text_within(body, element) == "a"
