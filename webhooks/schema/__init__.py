"""JSON → what is asked for, or everything that is wrong with it at once.

Not here: how bytes become JSON (webhooks/body); what depends on the configuration, the caller or the clock
(webhooks/admission).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from webhooks.faults import Fault, pointer
from webhooks.schema.asked import AskedTarget, AskedUpdate
from webhooks.schema.event import why_not
from webhooks.schema.extended import each_by_its_name
from webhooks.schema.rules import broken
from webhooks.schema.shape import Shape, moment
from workers.event.properties import PROPERTIES
from workers.update import ConflictResolution, Intent, Json, SendInvitations

FAULTS_AT_MOST = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """A body that has no faults. ``cleared``: the body's ``clear``, which the intent's ``set`` holds as null.
    ``deadline``: in UTC; None for the default."""

    target: AskedTarget
    intent: Intent
    cleared: tuple[str, ...]
    deadline: datetime | None
    conflict_resolution: ConflictResolution
    send_invitations: SendInvitations
    max_recipients: int | None
    callback_url: str | None
    metadata: Mapping[str, Json] | None


def read(document: Mapping[str, Json]) -> Asked | tuple[Fault, ...]:
    """What is asked for, or all faults of the body (the first FAULTS_AT_MOST)."""
    try:
        asked = AskedUpdate.model_validate(document)
    except ValidationError as error:
        faults = [fault_of(details, document) for details in error.errors(include_url=False)]
        return tuple(dict.fromkeys([*faults, *broken(document)]))[:FAULTS_AT_MOST]
    return tuple(broken(document))[:FAULTS_AT_MOST] or _asked(asked)


_SENTENCES = {
    "missing": "this field is required",
    "extra_forbidden": "there is no such field",
    "string_type": "must be a string",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be an array",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "string_too_short": "must have at least {min_length} character(s)",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} member(s)",
    "too_long": "must have at most {max_length} members",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_pattern_mismatch": "must be visible ASCII characters",
    "value_error": "{error}",
}
"""Pydantic's error types in our words. None of them repeats what the caller sent."""


def fault_of(details: ErrorDetails, document: Mapping[str, Json]) -> Fault:
    """What pydantic found wrong with a document, in our words and with a pointer into it."""
    path, kind = details["loc"], details["type"]
    if path[-2:] == (details["input"], "[key]"):  # the name itself is wrong, and pydantic steps into it
        path = path[:-1]
    said = _about_a_property(path, kind, details["input"]) or sentence(details)
    return Fault(said, pointer(_as_sent(path, document)))


def sentence(details: ErrorDetails) -> str:
    """What pydantic found wrong with a value, in our words."""
    kind = details["type"]
    if isinstance(details["input"], str) and f"string_{kind}" in _SENTENCES:
        kind = f"string_{kind}"
    return _SENTENCES[kind].format(**details.get("ctx", {})) if kind in _SENTENCES else details["msg"]


def _as_sent(path: tuple[str | int, ...], document: Mapping[str, Json]) -> tuple[str | int, ...]:
    """The path as far as it exists in the body: a value in its short form has no members to point at."""
    node: Json = document
    for length, step in enumerate(path):
        match node, step:
            case dict(), str():
                node = node.get(step, {})
            case list(), int():
                node = node[step]
            case _:
                return path[:length]
    return path


def _about_a_property(path: tuple[str | int, ...], kind: str, value: Json) -> str | None:
    """A better sentence if the property itself is wrong, not its value."""
    if len(path) != 2 or path[0] not in ("set", "append", "remove", "expect"):
        return None
    operation, name = str(path[0]), str(path[1])
    if value is None and operation == "set" and name in PROPERTIES and not PROPERTIES[name].clearable:
        return f"{name} cannot be cleared"
    if kind != "extra_forbidden":
        return None
    if name not in PROPERTIES:
        return why_not(name)
    return f"nothing can be appended to {name}" if operation == "append" else f"nothing can be removed from {name}"


def _asked(asked: AskedUpdate) -> Asked:
    return Asked(
        target=asked.target,
        intent=_intent(asked),
        cleared=tuple(asked.clear or ()),
        deadline=moment(asked.deadline) if asked.deadline else None,
        conflict_resolution=asked.conflict_resolution,
        send_invitations=asked.send_invitations,
        max_recipients=asked.max_recipients,
        callback_url=asked.callback_url,
        metadata=asked.metadata,
    )


def _intent(asked: AskedUpdate) -> Intent:
    """``clear`` folded into ``set``; the values as plain Graph JSON, only what was given."""
    return Intent(
        set={**_plain(asked.set_), **dict.fromkeys(asked.clear or ())},
        append=_plain(asked.append),
        remove=_plain(asked.remove),
        shift=_plain(asked.shift),
        expect=_plain(asked.expect),
    )


def _plain(shape: Shape | None) -> dict[str, Json]:
    return each_by_its_name(shape.model_dump(by_alias=True, exclude_unset=True)) if shape else {}
