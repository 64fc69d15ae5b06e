"""Bodies of events, text or HTML, and the other form of each."""

from __future__ import annotations

import html
import re

from ops.sandbox.call import Json


def in_form(body: Json, wanted: str | None) -> Json:
    """The body as ``text`` or ``html``, or as it is stored if neither is asked for."""
    if wanted == "text" and body["contentType"] == "html":
        return {"contentType": "text", "content": plain(body)}
    if wanted == "html" and body["contentType"] == "text":
        return {"contentType": "html", "content": f"<html><body>{html.escape(body['content'])}</body></html>"}
    return body


def plain(body: Json) -> str:
    """The body's words."""
    content = str(body["content"])
    return content if body["contentType"] == "text" else html.unescape(re.sub(r"<[^>]*>", "", content)).strip()
