"""The stored form of a watch: the fields of its hash, there and back. Pure.

A field has the name that ``Watch`` has for it; what is known by mirror has a field for each mirror, so that it can be
noted and forgotten alone. Not here: the fields that are only written by Lua.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeAlias

from workers.changes.watch import Watch
from workers.store.milliseconds import moment, ms

Known: TypeAlias = str | datetime | tuple[str, ...] | None
"""A value that can be kept; None, or nothing in it: it is forgotten."""

_OF_MIRRORS = {"spelled": "spelled:", "leads": "leads:", "circles": "circle:", "waits": "waits:"}
"""What is known of each mirror → what stands before the mirror's id in the names of its fields."""


def fields_of(known: Mapping[str, Known | Mapping[str, Known]]) -> dict[str, str | int]:
    """The fields for some of what is known; an empty one is to be deleted."""
    fields: dict[str, str | int] = {}
    for name, value in known.items():
        if isinstance(value, Mapping):
            fields |= {_OF_MIRRORS[name] + mirror: _stored(one) for mirror, one in value.items()}
        else:
            fields[name] = _stored(value)
    return fields


def watch_from(watch_id: str, fields: Mapping[str, str]) -> Watch:
    """The watch that is kept so."""

    def time(name: str) -> datetime | None:
        return moment(fields[name]) if fields.get(name) else None

    def of_mirrors(name: str) -> dict[str, str]:
        prefix = _OF_MIRRORS[name]
        return {field.removeprefix(prefix): value for field, value in fields.items() if field.startswith(prefix)}

    return Watch(
        id=watch_id,
        backend=fields["backend"],
        mailbox=fields["mailbox"],
        secret=fields["secret"],
        graph_id=fields.get("graph_id") or None,
        expires=time("expires"),
        renewed=time("renewed"),
        terms=fields.get("terms"),
        asked=time("asked"),
        cursor=fields.get("cursor") or None,
        walked=time("walked"),
        caught_up=time("caught_up"),
        missed=time("missed"),
        reauthorize=time("reauthorize"),
        heard=time("heard"),
        usual=timedelta(milliseconds=int(fields["usual"])) if fields.get("usual") else None,
        tended=time("tended"),
        problem=fields.get("problem") or None,
        fence=int(fields.get("fence") or 0),
        learnt=tuple(fields.get("learnt", "").split()),
        spelled=of_mirrors("spelled"),
        leads=of_mirrors("leads"),
        circles={mirror: tuple(ids.split()) for mirror, ids in of_mirrors("circles").items()},
        waits=of_mirrors("waits"),
    )


def _stored(value: Known) -> str | int:
    if isinstance(value, datetime):
        return ms(value)
    return " ".join(value) if isinstance(value, tuple) else value or ""
