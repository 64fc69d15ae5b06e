"""A body is read in one pass, whatever a stranger wrote."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from workers.event.html_body import canonical_html
from workers.graph.markup import elements, text_within

LOOKS = ("parse_starttag", "parse_endtag", "parse_comment", "parse_pi", "parse_html_declaration")
HOSTILE = [
    "<a ", '<a b="', '<a b=">" ', "<!--", "<!-- >", "<!a", "<![", "<![cdata[", "<![cdata[>", "<?", "</", "</a", "<x"
]  # fmt: skip


@pytest.fixture
def in_vain(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """From where the parser looked through all the rest for an end that is not there."""
    places: list[int] = []

    def noted(look: Callable[[HTMLParser, int], int]) -> Callable[[HTMLParser, int], int]:
        def looking(reader: HTMLParser, start: int) -> int:
            if (end := look(reader, start)) < 0:
                places.append(start)
            return end

        return looking

    for name in LOOKS:
        monkeypatch.setattr(HTMLParser, name, noted(getattr(HTMLParser, name)))
    return places


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("read", [canonical_html, elements], ids=["compared", "cut"])
def test_an_end_that_is_not_there_is_looked_for_once(
    read: Callable[[str], object], piece: str, in_vain: list[int]
) -> None:
    read("<p>x</p>" + piece * 500)
    assert len(set(in_vain)) <= 1


@pytest.mark.parametrize("piece", [*HOSTILE, "<", "< ", "&", "<!-- -->a", "<b>", "</b>", "<b></i>", "<script>"])
def test_the_largest_body_is_read_to_its_end(piece: str) -> None:
    assert canonical_html("<p>x</p>" + piece * (240_000 // len(piece)))[:3] == ("<p>", "x", "</p>")


def test_what_is_never_finished_is_text() -> None:
    assert canonical_html('<p>1</p>x<y & <a href="') == ("<p>", "1", "</p>", 'x<y & <a href="')
    assert canonical_html("x<y") == canonical_html("<html><body>x&lt;y</body></html>")
    assert canonical_html("a<!-- <b>c</b>") != canonical_html("a<!-- <b>d</b>")


def test_a_section_of_words_own_is_a_comment_even_where_it_ends_in_another_way() -> None:
    assert canonical_html("<![if !mso]><p>a</p><![endif]--><p>b</p>") == canonical_html("<p>a</p><p>b</p>")
    body = "<![foo[><p>a</p>"
    assert [body[element.start : element.end] for element in elements(body)] == ["<p>a</p>"]


@pytest.mark.parametrize("before", ["", "<p>", '<a href="'])
@pytest.mark.parametrize("behind", ["", ";", '">x</a>'])
def test_a_character_of_endless_digits_is_read_and_moves_nothing(before: str, behind: str) -> None:
    body = f"{before}&#{'1' * 5000}{behind}<b>c</b>"
    assert canonical_html(body)
    assert all(body[element.start] == "<" and text_within(body, element) for element in elements(body))
    assert canonical_html("&#x41;&#66;&#0067;") == ("ABC",)
