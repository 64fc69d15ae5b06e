"""When an HTML body is plain text in HTML's clothes, as Exchange shows a body that somebody wrote as text: lines in
``<br>``, ``<div>`` or ``<p>``, white space of its own, addresses made into links."""

from __future__ import annotations

import re

from workers.event.html_body import WRAPPERS
from workers.event.html_reader import HtmlReader

_BLOCKS = frozenset({"div", "p", "pre"})
"""What stands on lines of its own."""
_PLAIN = _BLOCKS | {"a", "br", "font", "span"} | WRAPPERS
_WHITE = " \t\r\n\f"
"""Nothing that makes a line, unlike the no-break space that keeps an empty one."""
_MADE_UP = re.compile(r"mailto:|https?://")
"""What Exchange puts before an address in a text to make a link of it."""


def plain_text(content: str) -> str | None:
    """The text, as ``folded`` has it; None if the body is more than that: it has other tags, or a link that leads
    elsewhere than it says."""
    reader = _Reader()
    reader.read(content)
    reader.end_link()
    return folded("".join(reader.said)) if reader.plain else None


def folded(text: str) -> str:
    """A text's lines without what Exchange changes of their white space, and without blank ones around them."""
    return "\n".join(" ".join(line.split()) for line in text.split("\n")).strip("\n")


class _Reader(HtmlReader):
    """What was ``said``, and whether it was no more than ``plain`` text."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.plain = True
        self._in_line = self._in_pre = False
        self._href = ""
        self._link_at = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.plain = self.plain and tag in _PLAIN
        if tag == "br":
            self._break()
        elif tag == "a":
            self.end_link()
            self._href, self._link_at = dict(attrs).get("href") or "", len(self.said)
        elif tag in _BLOCKS:
            self._end_block()
            self._in_pre = self._in_pre or tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self.end_link()
        elif tag in _BLOCKS:
            self._end_block()
            self._in_pre = self._in_pre and tag != "pre"

    def handle_data(self, data: str) -> None:
        first, *others = data.split("\n") if self._in_pre else [data.replace("\n", " ")]
        self._say(first)
        for line in others:
            self._break()
            self._say(line)

    def end_link(self) -> None:
        """A link says no more than its text where that is its address."""
        if self._href:
            address, text = self._href.strip().rstrip("/"), folded("".join(self.said[self._link_at :])).rstrip("/")
            made_up = _MADE_UP.match(address)
            self.plain = self.plain and text in (address, address[made_up.end() if made_up else 0 :])
        self._href = ""

    def _say(self, text: str) -> None:
        self.said.append(text)
        self._in_line = self._in_line or bool(text.strip(_WHITE))

    def _break(self) -> None:
        self.said.append("\n")
        self._in_line = False

    def _end_block(self) -> None:
        if self._in_line:
            self._break()
