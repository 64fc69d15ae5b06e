"""When two HTML bodies say the same, although Exchange rewrites what it stores: it wraps fragments in
``<html><head>…<body>``, adds ``<meta>`` tags, changes line ends and white space, reorders attributes, writes ``<br>``
for ``<br/>``."""

from __future__ import annotations

import re

from workers.event.html_reader import VOID, HtmlReader

WRAPPERS = frozenset({"html", "head", "body", "meta", "title"})
"""What Exchange puts around a body, whatever somebody wrote."""
_TAG = re.compile(r"<[^<>]*>")
_PARAMETER = re.compile(r"&(?=[A-Za-z][A-Za-z0-9]*=)")
"""In a tag what begins a parameter of a link (``?a=1&param=2``). Python 3.11 takes ``&para`` for a character there, and
browsers do not (https://html.spec.whatwg.org/multipage/parsing.html#named-character-reference-state)."""
_COMMENT_OR_END = re.compile(r"<!--(?:-?>|.*?(?:--!?>|\Z))|</(body|html)\s*>", re.IGNORECASE | re.DOTALL)


def canonical_html(content: str) -> tuple[str, ...]:
    """The tags and texts that a reader would notice, in order."""
    reader = _Reader()
    reader.read(_TAG.sub(lambda tag: _PARAMETER.sub("&amp;", tag[0]), content))
    reader.end_text()
    return tuple(reader.seen)


def inserted(content: str, addition: str) -> str:
    """The document with more HTML where a reader sees its end: before the last ``</body>`` that is not in a comment."""
    ends = {found[1].lower(): found.start() for found in _COMMENT_OR_END.finditer(content) if found[1]}
    at = ends.get("body", ends.get("html", len(content)))
    return content[:at] + addition + content[at:]


class _Reader(HtmlReader):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = sorted((name, value or "") for name, value in attrs)
        written = " ".join(f'{name}="{value}"' for name, value in named)
        self._add(tag, f"<{tag} {written}".rstrip() + ">")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        self._add(tag, f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def end_text(self) -> None:
        """End the text that has come since the last tag, in however many pieces."""
        if words := " ".join("".join(self._text).split()):
            self.seen.append(words)
        self._text.clear()

    def _add(self, tag: str, written: str) -> None:
        if tag in WRAPPERS:
            self._text.append(" ")
        else:
            self.end_text()
            self.seen.append(written)
