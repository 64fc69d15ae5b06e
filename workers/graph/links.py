"""Links in Graph's answers (``@odata.nextLink``, ``@odata.deltaLink``): where to go on.

https://learn.microsoft.com/graph/paging. A link is opaque, and it is asked with our token: so it is followed only
below the address that the configuration names.
"""

from __future__ import annotations

from workers.update import Json


def path_of(link: Json, base_url: str) -> str | None:
    """The path and query below the base URL, None where there is no link. Raises ValueError for one that leads
    elsewhere."""
    if link is None:
        return None
    base = base_url.rstrip("/")
    if not isinstance(link, str) or not link.lower().startswith(f"{base.lower()}/"):
        raise ValueError("a link leads away from the configured address")
    return link[len(base) :]
