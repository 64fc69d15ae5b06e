"""HTML as Exchange gives it back says the same as what was sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.event.html_body import canonical_html, inserted

words = st.text("abcäß<&\"'", min_size=1, max_size=6)
pieces = st.lists(
    st.sampled_from(["<p>a</p>", "<b>x &amp; y</b>", "<br>", "text", '<a href="u" id="i">l</a>']), max_size=6
)


@given(pieces)
def test_the_wrapping_that_exchange_adds_is_not_seen(fragments: list[str]) -> None:
    sent = "".join(fragments)
    stored = (
        '<html><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8"><title></title>'
        "</head><body>\r\n"
        f"{sent}\r\n</body>\r\n</html>\r\n"
    )
    assert canonical_html(stored) == canonical_html(sent)


@given(pieces)
def test_line_ends_and_white_space_are_not_seen(fragments: list[str]) -> None:
    assert canonical_html("\n".join(fragments)) == canonical_html("\r\n  ".join(fragments))


@given(st.one_of(st.text(max_size=60), st.text("<![]-/>aif!DOCTYPE&;# \"'", max_size=30)))
def test_nothing_that_a_stranger_writes_breaks_it(content: str) -> None:
    assert isinstance(canonical_html(content), tuple)


@pytest.mark.parametrize(
    "content", ["<![foo[", "<![foo[ bar ]]>", "<![if !mso]>x<![endif]>", "<!", "<!--", "<a b=", "&#x"]
)
def test_nothing_is_lost_behind_broken_markup(content: str) -> None:
    assert "kept" in canonical_html(f"{content}<p>kept")[-1]


def test_an_attribute_that_is_there_twice_once_without_a_value_is_read() -> None:
    assert canonical_html('<td nowrap nowrap="nowrap">a') == canonical_html('<td nowrap="nowrap" nowrap>a')


@pytest.mark.parametrize("name", ["param", "copy", "region", "id"])
def test_a_parameter_of_a_link_is_the_same_however_its_ampersand_is_written(name: str) -> None:
    sent, stored = (f'<a href="https://x/?a=1{sign}{name}=2">x</a>' for sign in ("&", "&amp;"))
    assert canonical_html(sent) == canonical_html(stored)


def test_the_order_of_attributes_and_the_spelling_of_characters_are_not_seen() -> None:
    assert canonical_html('<a id="i" href="u">&auml;</a>') == canonical_html("<a href='u' id='i'>&#228;</a>")


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("a<br/>b", "a<br>b"),
        ("a<br />b<hr/>", "a<br>b<hr>"),
        ('<img src="u"/>', '<img src="u">'),
        ("<td/>", "<td></td>"),
    ],
)
def test_tags_may_be_closed_as_in_xml(sent: str, stored: str) -> None:
    assert canonical_html(sent) == canonical_html(stored)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<p>a</p>", "<p>b</p>"),
        ("<p>a</p>", "<div>a</div>"),
        ("<p>a b</p>", "<p>ab</p>"),
        ('<a href="u">x</a>', '<a href="v">x</a>'),
        ("<p>a</p>", "<p>a</p><p>a</p>"),
        ("<p>A</p>", "<p>a</p>"),
    ],
)
def test_what_a_reader_would_notice_is_seen(one: str, other: str) -> None:
    assert canonical_html(one) != canonical_html(other)


@pytest.mark.parametrize(
    ("content", "after"),
    [
        ("<html><body>Hello</body></html>", "<html><body>Hello<p>PS</p></body></html>"),
        ("<HTML><BODY>Hello</BODY ></HTML>", "<HTML><BODY>Hello<p>PS</p></BODY ></HTML>"),
        ("<html>Hello</html>", "<html>Hello<p>PS</p></html>"),
        ("<body><!-- </body> -->Hello</body>", "<body><!-- </body> -->Hello<p>PS</p></body>"),
        ("<body><!--[if]>\n</BODY>\n<![endif]-->a</body>", "<body><!--[if]>\n</BODY>\n<![endif]-->a<p>PS</p></body>"),
        ("<body>a<!--></body><!-- </body> --></html>", "<body>a<!--><p>PS</p></body><!-- </body> --></html>"),
        ("<body>a</body><!--\n</body>\n--></html>", "<body>a<p>PS</p></body><!--\n</body>\n--></html>"),
        ("<body>a</body>b</body></html>", "<body>a</body>b<p>PS</p></body></html>"),
        ("<p>Hello</p>", "<p>Hello</p><p>PS</p>"),
        ("", "<p>PS</p>"),
    ],
)
def test_what_is_appended_stands_inside_of_the_document(content: str, after: str) -> None:
    assert inserted(content, "<p>PS</p>") == after
