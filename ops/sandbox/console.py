"""``/sandbox/…``: the operator's side, JSON, without sign-in. ``ops.sandbox.control`` is its client.

    POST   reset
    GET    mailboxes                    POST mailboxes              {"address", "kind"?, "object_id"?}
    POST   events                       {"mailbox", "properties"?, "calendar"?, "extended"?, "is_organizer"?, "id"?}
    GET    events/{id}   PATCH events/{id}  {properties}: a person's edit   DELETE events/{id}   POST events/{id}/touch
    GET    journal ?event=&since=       GET invitations ?event=     GET calls ?since=           GET concurrency
    GET    faults                       POST faults                 DELETE faults
    PUT    behaviour                    GET behaviour
    GET    callbacks                    PUT callbacks/answer
    POST   clients                      {"client_id", "secret"?, "certificate"?}
    POST   refresh-tokens               {"token", "mailbox"}
    GET    subscriptions                POST lifecycle              {"event"}: Graph tells every subscription so
    DELETE tokens                       every access token becomes worthless

Event ids are accepted in both spellings.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace

from ops.sandbox.call import Call, Json, Reply
from ops.sandbox.callbacks import Answer
from ops.sandbox.event import DEFAULTS, Event, ews_form
from ops.sandbox.faults import Fault
from ops.sandbox.mailbox import Mailbox, new_mailbox
from ops.sandbox.rules import Invalid
from ops.sandbox.store import Change, Missing
from ops.sandbox.world import World

Handler = Callable[[World, str, Mapping[str, str], Json], Json]


def answer(world: World, call: Call, reset: Callable[[], None]) -> Reply:
    """Answer an operator's call: 404 if something is not there, 400 with a sentence if the request is wrong."""
    name, _, rest = call.path.partition("/")
    if (call.method, name) == ("POST", "reset"):
        reset()
        return Reply.of_json({})
    handler = _HANDLERS.get((call.method, name))
    if handler is None:
        return Reply.of_json({"error": f"There is no {call.method} {name}."}, 404)
    try:
        return Reply.of_json(handler(world, rest, call.query, json.loads(call.body or b"{}")))
    except Missing as missing:
        return Reply.of_json({"error": f"There is no {missing}."}, 404)
    except (Invalid, TypeError, ValueError, KeyError) as bad:
        return Reply.of_json({"error": f"{type(bad).__name__}: {bad}"}, 400)


def show_event(event: Event) -> Json:
    """An event with its ids and versions in both spellings."""
    return {
        "id": event.id,
        "graph_id": event.graph_id,
        "mailbox": event.mailbox,
        "calendar": event.calendar,
        "uid": event.uid,
        "etag": event.etag,
        "change_key": event.change_key,
        "ews_change_key": event.ews_change_key,
        "properties": dict(event.properties),
        "extended": dict(event.extended),
        "is_meeting": event.is_meeting,
        "is_organizer": event.is_organizer,
        "sequence": event.sequence,
    }


def _show_mailbox(mailbox: Mailbox) -> Json:
    return {
        "address": mailbox.address,
        "name": mailbox.name,
        "object_id": mailbox.object_id,
        "kind": mailbox.kind,
        "calendars": [asdict(calendar) for calendar in mailbox.calendars],
    }


def _create_mailbox(world: World, rest: str, query: Mapping[str, str], body: Json) -> Json:
    mailbox = new_mailbox(body["address"], body.get("kind", "cloud"), body.get("object_id"))
    return _show_mailbox(world.store.add_mailbox(mailbox))


def _post_event(world: World, rest: str, query: Mapping[str, str], body: Json) -> Json:
    """``events`` makes an event, ``events/{id}/touch`` touches one."""
    event_id, _, verb = rest.rpartition("/")
    if verb == "touch":
        return show_event(world.store.touch(ews_form(event_id)))
    event = world.store.create(
        world.store.mailbox(body["mailbox"]),
        Change(_stored(body.get("properties") or {}), body.get("extended") or {}),
        "human",
        calendar=ews_form(body["calendar"]) if body.get("calendar") else None,
        event_id=ews_form(body["id"]) if body.get("id") else None,
        is_organizer=body.get("is_organizer", True),
    )
    return show_event(event)


def _stored(properties: Json) -> Json:
    """The properties. Raises ``ValueError`` if one is unknown."""
    unknown = set(properties) - set(DEFAULTS)
    if unknown:
        raise ValueError(f"unknown properties: {', '.join(sorted(unknown))}")
    return properties


def _edit_event(world: World, rest: str, query: Mapping[str, str], body: Json) -> Json:
    return show_event(world.store.write(ews_form(rest), lambda event: Change(_stored(body)), "human"))


def _delete_event(world: World, rest: str, query: Mapping[str, str], body: Json) -> Json:
    world.store.delete(ews_form(rest), "human")
    return {}


def _journal(world: World, rest: str, query: Mapping[str, str], body: Json) -> Json:
    entries = world.journal.entries[int(query.get("since", "0")) :]
    wanted = ews_form(query.get("event", ""))
    return [asdict(entry) for entry in entries if wanted in ("", entry.event)]


def _invitations(world: World, rest: str, query: Mapping[str, str], body: Json) -> Json:
    wanted = ews_form(query.get("event", ""))
    return [asdict(mail) for mail in list(world.journal.invitations) if wanted in ("", mail.event)]


def _calls(world: World, rest: str, query: Mapping[str, str], body: Json) -> Json:
    return [asdict(call) for call in world.calls.received(int(query.get("since", "0")))]


def _add_fault(world: World, rest: str, query: Mapping[str, str], body: Json) -> Json:
    world.faults.add(Fault(**body))
    return {}


def _clear_faults(world: World, rest: str, query: Mapping[str, str], body: Json) -> Json:
    world.faults.clear()
    return {}


def _behave(world: World, rest: str, query: Mapping[str, str], body: Json) -> Json:
    world.behaviour = replace(world.behaviour, **body)
    return asdict(world.behaviour)


def _answer_callbacks(world: World, rest: str, query: Mapping[str, str], body: Json) -> Json:
    world.catcher.answer_with(Answer(**body))
    return {}


def _register_client(world: World, rest: str, query: Mapping[str, str], body: Json) -> Json:
    world.provider.clients[body["client_id"]] = body.get("secret") or ""
    if body.get("certificate"):
        world.provider.certificates[body["client_id"]] = body["certificate"]
    return {}


def _register_refresh_token(world: World, rest: str, query: Mapping[str, str], body: Json) -> Json:
    world.provider.refresh_tokens[body["token"]] = world.store.mailbox(body["mailbox"]).address
    return {}


def _subscriptions(world: World, rest: str, query: Mapping[str, str], body: Json) -> Json:
    return [one.show(secretive=False) for one in list(world.notifier.subscriptions.values())]


def _lifecycle(world: World, rest: str, query: Mapping[str, str], body: Json) -> Json:
    return {"told": world.notifier.lifecycle(body["event"])}


def _revoke(world: World, rest: str, query: Mapping[str, str], body: Json) -> Json:
    world.provider.revoke_all()
    return {}


_HANDLERS: Mapping[tuple[str, str], Handler] = {
    ("GET", "mailboxes"): lambda world, *_: [_show_mailbox(mailbox) for mailbox in world.store.mailboxes()],
    ("POST", "mailboxes"): _create_mailbox,
    ("POST", "events"): _post_event,
    ("GET", "events"): lambda world, rest, *_: show_event(world.store.event(ews_form(rest))),
    ("PATCH", "events"): _edit_event,
    ("DELETE", "events"): _delete_event,
    ("GET", "journal"): _journal,
    ("GET", "invitations"): _invitations,
    ("GET", "calls"): _calls,
    ("GET", "concurrency"): lambda world, *_: world.calls.most(),
    ("GET", "faults"): lambda world, *_: [asdict(fault) for fault in world.faults.waiting()],
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "behaviour"): lambda world, *_: asdict(world.behaviour),
    ("PUT", "behaviour"): _behave,
    ("GET", "callbacks"): lambda world, *_: [asdict(caught) for caught in list(world.catcher.caught)],
    ("PUT", "callbacks"): _answer_callbacks,
    ("POST", "clients"): _register_client,
    ("POST", "refresh-tokens"): _register_refresh_token,
    ("GET", "subscriptions"): _subscriptions,
    ("POST", "lifecycle"): _lifecycle,
    ("DELETE", "tokens"): _revoke,
}
