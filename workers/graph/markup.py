"""HTML as elements that know where they stand in the text, so that a piece of it can be cut out unchanged.

As forgiving as mail has to be read: an element that is never closed ends where the one around it does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from workers.event.html_reader import VOID, HtmlReader, unescaped


@dataclass(slots=True, eq=False)
class Element:
    """From the ``<`` of its first tag, ``start``, to behind the ``>`` of its last, ``end``."""

    tag: str
    attributes: dict[str, str]
    start: int
    end: int
    parent: Element | None
    children: list[Element] = field(default_factory=list)

    def attribute(self, name: str) -> str:
        """Its value, empty where there is none."""
        return self.attributes.get(name, "")

    def ancestors(self) -> Iterator[Element]:
        """The elements around it, the nearest first; not the text as a whole."""
        around = self.parent
        while around is not None and around.parent is not None:
            yield around
            around = around.parent

    def siblings(self) -> list[Element]:
        """The elements beside it, itself included, in order."""
        return self.parent.children if self.parent is not None else [self]


def elements(content: str) -> list[Element]:
    """Every element, in the order of their first tags."""
    reader = _Reader(content)
    reader.read(content)
    return reader.done()


def text_within(content: str, element: Element) -> str:
    """What an element says, without its tags."""
    return unescaped(re.sub(r"<[^>]*(?:>|\Z)", "", content[element.start : element.end]))


class _Reader(HtmlReader):
    def __init__(self, content: str) -> None:
        super().__init__()
        self._lines = [0, *(found.end() for found in re.finditer("\n", content))]
        self._length = len(content)
        self._content = content
        self._open = [Element("", {}, 0, self._length, None)]
        self._open_tags = Counter[str]()
        self._seen: list[Element] = []

    def done(self) -> list[Element]:
        for element in self._open:
            element.end = self._length
        return self._seen

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        start = self._position()
        end = start + len(self.get_starttag_text() or "")
        element = Element(tag, {name: value or "" for name, value in attrs}, start, end, self._open[-1])
        self._open[-1].children.append(element)
        self._seen.append(element)
        if tag not in VOID:
            self._open.append(element)
            self._open_tags[tag] += 1

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if not self._open_tags[tag]:
            return
        start = self._position()
        while (element := self._closed()).tag != tag:
            element.end = start
        element.end = self._content.find(">", start) + 1 or self._length

    def _closed(self) -> Element:
        element = self._open.pop()
        self._open_tags[element.tag] -= 1
        return element

    def _position(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column
