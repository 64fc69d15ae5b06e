"""An event's body: as Graph has it, and as callers see it and write it.

Callers see it without the join block (join_block), and as text where it was stored as text. Pure.
"""

from __future__ import annotations

from workers.event.html_body import inserted
from workers.graph import join_block
from workers.update import Json


def join_url(document: Json) -> str | None:
    """Where people join, if this event is an online meeting and Exchange tells it."""
    return str((document.get("onlineMeeting") or {}).get("joinUrl") or "") or None


def cut(document: Json) -> tuple[Json, str]:
    """An event's body without its join block, and the block. If the block of an online meeting cannot be told from the
    rest, the body stays whole, and a block that leads to the same meeting is made for a new body."""
    body, url = document.get("body"), join_url(document)
    if not (url or document.get("isOnlineMeeting")):
        return body, ""
    block = join_block.block_for(url) if url else ""
    if not body or body.get("contentType") != "html":
        return body, block
    found = join_block.split(str(body.get("content") or ""), url)
    return ({**body, "content": found.rest}, found.block) if found.block else (body, block)


def with_block(body: Json, block: str, url: str | None) -> Json:
    """A new body as it has to be written so that people can still join. One that leads to the meeting itself is left
    alone; plain text becomes HTML."""
    if not block or leads_to_meeting(body, url):
        return body
    content = str(body.get("content") or "")
    if body.get("contentType") != "html":
        content = join_block.html_of(content)
    return {"contentType": "html", "content": inserted(content, block)}


def leads_to_meeting(body: Json, url: str | None) -> bool:
    """Whether this body already has the join block or the link in it."""
    content = str((body or {}).get("content") or "")
    return bool(join_block.split(content, url).block) or bool(url and join_block.names(content, url))


def stored_as_text(body: Json) -> bool:
    """Whether Exchange says that this HTML body is a plain one, which it rewrote for us."""
    return "<!-- converted from text -->" in str((body or {}).get("content") or "").lower()
