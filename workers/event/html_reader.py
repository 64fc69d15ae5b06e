"""Python's HTML parser, in one pass: a body comes from strangers, and none may cost more time than its length.

Not here: what the tags and texts mean to whoever reads them.
"""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
"""The elements that have no end."""
_ENDLESS = re.compile(r"&#(?=[0-9]{100})")
"""A character's number that no character has, and of more digits than Python may be willing to read."""


def unescaped(text: str) -> str:
    """The text with its character references replaced, whatever number a stranger wrote into one."""
    return unescape(_ENDLESS.sub("&_", text))


class HtmlReader(HTMLParser):
    """Calls its ``handle_`` methods for everything, in order. It forgives whatever is found in mail."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def read(self, content: str) -> None:
        """From the first character to the last. What is begun and never finished (``<!--``, ``<a href="``) is text, and
        so is all behind it: the parser's ``close`` would look for the end anew behind each ``<`` that follows, which
        takes half an hour for 240 KB of ``<a ``."""
        self.feed(_ENDLESS.sub("&_", content))
        self.handle_data(unescape(self.rawdata))

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        """Word writes ``<![if …]>``, and strangers write anything: a comment up to the next ``>``, as in browsers."""
        return self.parse_bogus_comment(i)
