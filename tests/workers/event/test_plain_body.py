"""What is no more than text, although Exchange shows it as HTML."""

from __future__ import annotations

import pytest

from workers.event.plain_body import plain_text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<html><body>Line 1<br>\r\nLine 2 &lt;x&gt; &amp; y</body></html>", "Line 1\nLine 2 <x> & y"),
        ('<font size="2"><div class="PlainText">a<br>\r\n<br>\r\nb<br>\r\n</div></font>\r\n', "a\n\nb"),
        ('<div class="PlainText">Hello</div>', "Hello"),
        ("<p>a\r\nb</p>\r\n<p>c</p>", "a b\nc"),
        ("<p>a</p><p>&nbsp;</p><p>b</p>", "a\n\nb"),
        ("<div>a</div><div><br></div><div>b <span>c</span></div>d", "a\n\nb c\nd"),
        ("a<div>b</div>", "a\nb"),
        ("<div>a<span> </span></div>b", "a\nb"),
        ("<pre>a\r\n\r\nb</pre>c\r\nd", "a\n\nb\nc d"),
        ("<pre>a\n<div>b\nc</div></pre>", "a\nb\nc"),
        ('<a href="http://a.example/x">http://a.example/x</a>', "http://a.example/x"),
        ('<a href="http://a.example/">a.<span>example</span></a> b', "a.example b"),
        ('<a href="http://a.example">http://a.example/</a>', "http://a.example/"),
        ('ask <a href="mailto:ann@a.example">ann@a.example</a>', "ask ann@a.example"),
        ('<a name="x">a</a>', "a"),
        ("&lt;b&gt;", "<b>"),
        ("", ""),
        ("<p>Bring <b>shoes</b></p>", None),
        ("<ul><li>a</li></ul>", None),
        ('see <a href="https://a.example/x">the agenda</a>', None),
        ('<a href="https://b.example">https://a.example</a>', None),
        ('<a href="https://a.example">the agenda', None),
    ],
)
def test_plain_text_in_htmls_clothes_is_known_by_its_tags_and_links_and_read_line_by_line(
    content: str, text: str | None
) -> None:
    assert plain_text(content) == text


@pytest.mark.parametrize("piece", ["<a ", "a</a>", '<a href="a">', "<p>a", "<pre>\n", "<!-- >"])
def test_the_largest_body_is_read_to_its_end(piece: str) -> None:
    assert plain_text("<b>" + piece * (240_000 // len(piece))) is None
