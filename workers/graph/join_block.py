"""The part of an HTML body that lets people join an online meeting: found, cut out, put back.

https://learn.microsoft.com/graph/api/event-update: whoever writes a body without this block switches the online
meeting off. So the block is no part of the body that callers see: it is cut out when a body is read, and put back when
one is written. Microsoft documents no form for it. Seen in the wild: an element of class ``me-email-text`` (Teams) or
id ``divSkypeMeeting`` around the join link, mostly between two dividers, which are lines of underscores; after Word
has been at it, only the dividers are left.

Pure. Not here: which events are online meetings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from urllib.parse import unquote

from workers.graph.markup import Element, elements, text_within

_JOIN = re.compile(r"//teams\.[a-z.]+/(?:l/meetup-join|meet)/|//join\.skype\.com/|//meet\.[a-z0-9.-]+/")
_NAMED = re.compile(r"(?:^|[\s_])(?:me-email-text|divskypemeeting)(?:$|\s)", re.IGNORECASE)
_DIVIDER = 20
"""Underscores at least; Teams writes 80."""
_LINKS = 20
"""How many join links are looked at: no honest body has more."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A body in two: what people wrote, and the block, empty where there is none."""

    rest: str
    block: str


def split(content: str, join_url: str | None) -> Cut:
    """``content``: HTML. ``join_url``: where people join, if Exchange told it; otherwise any such link counts."""
    for link in _links(content, join_url)[:_LINKS]:
        found = _named(content, link) or _between_dividers(content, link)
        if found is not None:
            start, end = found
            return Cut(content[:start] + content[end:], content[start:end])
    return Cut(content, "")


def block_for(join_url: str) -> str:
    """A new block for a meeting, if the one in its body cannot be told from the rest."""
    link = escape(join_url)
    return f'<div class="me-email-text"><a class="me-email-headline" href="{link}">{link}</a></div>'


def names(content: str, join_url: str) -> bool:
    """Whether the body leads to this meeting."""
    wanted = _plain(join_url)
    return any(wanted in _plain(link.attribute("href")) for link in _links(content, join_url))


def html_of(text: str) -> str:
    """Plain text as HTML, for a body that has to hold a block."""
    lines = text.replace("\r\n", "\n").strip("\n").split("\n")
    return "<br>\n".join(escape(line, quote=False) for line in lines)


def _links(content: str, join_url: str | None) -> list[Element]:
    """The links to this meeting, or else, since Teams has two spellings for one meeting, to any."""
    links = [element for element in elements(content) if element.tag == "a" and element.attribute("href")]
    wanted = _plain(join_url) if join_url else None
    known = [link for link in links if wanted and wanted in _plain(link.attribute("href"))]
    return known or [link for link in links if _JOIN.search(_plain(link.attribute("href")))]


def _plain(url: str) -> str:
    """The link without its escapes: mail gateways wrap links into links of their own and escape them once more."""
    for _ in range(3):
        url = unquote(url)
    return url.lower()


def _named(content: str, link: Element) -> tuple[int, int] | None:
    """The outermost element around the link that is named as such a block, with the dividers beside it."""
    around = [one for one in link.ancestors() if one.tag not in ("a", "span") and _is_named(one)]
    if not around:
        return None
    siblings = around[-1].siblings()
    at = siblings.index(around[-1])
    if not at or not _is_divider(content, siblings[at - 1]):
        return around[-1].start, around[-1].end
    behind = next((one for one in siblings[at + 1 :] if _is_divider(content, one)), around[-1])
    return siblings[at - 1].start, behind.end


def _is_named(element: Element) -> bool:
    return any(_NAMED.search(element.attribute(name)) for name in ("class", "id"))


def _between_dividers(content: str, link: Element) -> tuple[int, int] | None:
    """The part from the last divider before the link to the first one behind it, on the lowest level that has both."""
    for one in (link, *link.ancestors()):
        siblings = one.siblings()
        at = siblings.index(one)
        before = next((other for other in reversed(siblings[:at]) if _is_divider(content, other)), None)
        behind = next((other for other in siblings[at + 1 :] if _is_divider(content, other)), None)
        if before is not None and behind is not None:
            return before.start, behind.end
    return None


def _is_divider(content: str, element: Element) -> bool:
    text = text_within(content, element)
    return text.count("_") >= _DIVIDER and not text.replace("_", "").strip()
