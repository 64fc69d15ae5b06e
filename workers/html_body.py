"""When two HTML bodies say the same, although Exchange rewrites what it stores: it wraps fragments in
``<html><head>…<body>``, adds ``<meta>`` tags, changes line ends and white space, reorders attributes."""

from __future__ import annotations

from html.parser import HTMLParser

_WRAPPERS = frozenset({"html", "head", "body", "meta", "title"})


def canonical_html(content: str) -> tuple[str, ...]:
    """The tags and texts that a reader would notice, in order."""
    reader = _Reader()
    reader.feed(content)
    reader.close()
    return tuple(reader.seen)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self._after_text = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _WRAPPERS:
            written = " ".join(f'{name}="{value or ""}"' for name, value in sorted(attrs))
            self._add(f"<{tag} {written}".rstrip() + ">")

    def handle_endtag(self, tag: str) -> None:
        if tag not in _WRAPPERS:
            self._add(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        words = " ".join(data.split())
        if words and self._after_text:
            self.seen[-1] += f" {words}"
        elif words:
            self.seen.append(words)
            self._after_text = True

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        """Word writes ``<![if …]>``, and strangers write anything: what the parser does not know is a comment."""
        try:
            return super().parse_marked_section(i, report)
        except AssertionError:
            return self.parse_bogus_comment(i)

    def _add(self, tag: str) -> None:
        self.seen.append(tag)
        self._after_text = False
