"""Graph's answers: a function of the world and a call.

GET and PATCH event: https://learn.microsoft.com/graph/api/event-get, https://learn.microsoft.com/graph/api/event-update;
list and create: https://learn.microsoft.com/graph/api/user-list-events, https://learn.microsoft.com/graph/api/user-post-events;
https://learn.microsoft.com/graph/api/outlookuser-supportedtimezones,
https://learn.microsoft.com/graph/api/user-translateexchangeids; open extensions of an event (extensions).
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta

from ops.sandbox.call import UNREADABLE, Call, Json, Reply
from ops.sandbox.door import Door, Sight, Visit
from ops.sandbox.event import Event, ews_form, graph_form, is_item_id
from ops.sandbox.faults import Fault
from ops.sandbox.graph import delta, errors, extensions, patch, subscriptions
from ops.sandbox.graph.errors import GraphError
from ops.sandbox.graph.paths import Route, Unrouted, parse
from ops.sandbox.graph.query import asked
from ops.sandbox.graph.resource import View, show
from ops.sandbox.mailbox import Calendar, Mailbox
from ops.sandbox.rules import Invalid
from ops.sandbox.store import Change, Missing
from ops.sandbox.tokens import Token
from ops.sandbox.world import World
from ops.sandbox.zones import iana_names, known_zones

MOST_IDS = 1000
"""In one call of translateExchangeIds."""


def answer(world: World, visit: Visit) -> Reply:
    """Answer a call, in Graph's words when it is refused."""
    try:
        reply = _answer(world, visit)
    except GraphError as error:
        return _refused(error, visit)
    except UNREADABLE as bad:
        text = f"Something in the request is missing or not valid: {bad!r}"
        return _refused(GraphError(400, "BadRequest", text), visit)
    return reply.having(_identifying(visit))


def failure(fault: Fault, visit: Visit) -> Reply:
    """A fault in Graph's words."""
    return _refused(errors.of_fault(fault), visit)


def look(world: World, call: Call) -> Sight:
    """Whose mailbox a call is about, as far as its path and token tell."""
    try:
        route = parse(call.path)
    except Unrouted:
        return Sight("", "read" if call.reads else "write", call.method)
    token = world.provider.find(call.bearer)
    name = (token.user or "") if token and route.kind == "me" else route.owner
    with suppress(Missing):
        name = world.store.mailbox(name).address
    return Sight(name, "read" if call.reads else "write", f"{call.method} {route.resource}")


def crowded(world: World, inside: int, visit: Visit) -> Reply | None:
    """MailboxConcurrency: https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits."""
    most = world.behaviour.graph_concurrency
    if most is None or inside <= most:
        return None
    return failure(Fault(status=429, headers={"Retry-After": "1"}), visit)


DOOR = Door("graph", look, answer, failure, crowded)


def _answer(world: World, visit: Visit) -> Reply:
    call = visit.call
    token = world.provider.find(call.bearer)
    if token is None:
        raise GraphError(401)
    if not call.path:
        return Reply.of_json({"@odata.context": f"{call.base}/graph/v1.0/$metadata", "value": []})
    if subscriptions.concerns(call.path):
        life = world.behaviour.subscription_life
        office = subscriptions.Office(
            world.notifier.subscriptions, world.store, None if life is None else timedelta(seconds=life)
        )
        return subscriptions.answer(office, call, token)
    try:
        route = parse(call.path)
    except Unrouted as unrouted:
        raise GraphError(400, "BadRequest", str(unrouted)) from unrouted
    mailbox = _mailbox(world, route, token)
    if route.resource == "supportedTimeZones":
        return Reply.of_json({"value": _zones(call.path)})
    if route.resource == "translateExchangeIds":
        return Reply.of_json({"value": _translated(call.body)})
    if route.resource == "extensions":
        return _extension(world, mailbox, route, visit)
    view = asked(call)
    if route.resource == "delta":
        page = delta.answer(world.store, list(world.journal.entries), mailbox, view, call)
        return Reply.of_json(page, headers=_applied(view))
    match call.method, route.event:
        case "GET", None:
            return _list(world, mailbox, route, view, call)
        case "GET", str():
            return _shown(_event(world, mailbox, route), view)
        case "PATCH", str():
            return _shown(_update(world, mailbox, route, visit), view)
        case "POST", None:
            return _shown(_create(world, mailbox, route, visit), view, 201)
    raise GraphError(405, "UnsupportedMethod", f"The method {call.method} is not supported here.")


def _mailbox(world: World, route: Route, token: Token) -> Mailbox:
    if route.kind == "me" and token.user is None:
        raise GraphError(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
    try:
        mailbox = world.store.mailbox((token.user or "") if route.kind == "me" else route.owner)
    except Missing as missing:
        raise GraphError(404, "ErrorInvalidUser", f"The requested user '{route.owner}' is invalid.") from missing
    if (mailbox.kind == "group") != (route.kind == "groups"):
        raise GraphError(404, "ResourceNotFound", "Resource could not be discovered.")
    if route.kind == "groups" and token.user is None:
        raise GraphError(403)
    if mailbox.kind == "onPremises":
        raise GraphError(
            404,
            "MailboxNotEnabledForRESTAPI",
            "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
        )
    if route.kind == "users" and token.user not in (None, mailbox.address):
        raise GraphError(403)
    return mailbox


def _calendar(mailbox: Mailbox, route: Route) -> Calendar | None:
    """The one calendar that the path names; None: any. A calendar has to be in the group that the path names."""
    if route.calendar is None:
        return None
    wanted = ews_form(route.calendar) if route.calendar else mailbox.default.id
    group = mailbox.default.group if route.group == "" else ews_form(route.group) if route.group else None
    for calendar in mailbox.calendars:
        if calendar.id == wanted and group in (None, calendar.group):
            return calendar
    raise GraphError(404)


def _event(world: World, mailbox: Mailbox, route: Route) -> Event:
    calendar = _calendar(mailbox, route)
    event_id = ews_form(route.event or "")
    if not is_item_id(event_id):
        raise GraphError(400, "ErrorInvalidIdMalformed", "Id is malformed.")
    try:
        event = world.store.event(event_id, mailbox)
    except Missing as missing:
        raise GraphError(404) from missing
    if calendar is not None and event.calendar != calendar.id:
        raise GraphError(404)
    return event


def _update(world: World, mailbox: Mailbox, route: Route, visit: Visit) -> Event:
    found = _event(world, mailbox, route)
    expected = visit.call.headers.get("if-match")

    def plan(event: Event) -> Change:
        change = patch.read(visit.call.body, event)
        if world.behaviour.preconditions and not _matches(expected, event):
            raise GraphError(412)
        return change

    try:
        return world.store.write(found.id, plan, "graph", call=visit.request_id, pretend=visit.pretend)
    except Invalid as invalid:
        raise GraphError(400, "ErrorPropertyValidationFailure", "At least one property failed validation.") from invalid
    except Missing as missing:
        raise GraphError(404) from missing


def _extension(world: World, mailbox: Mailbox, route: Route, visit: Visit) -> Reply:
    event, name = _event(world, mailbox, route), route.extension
    if visit.call.method != "GET":
        change, name = extensions.change(event, visit.call.method, name, visit.call.body)
        event = world.store.write(event.id, lambda _: change, "graph", call=visit.request_id, pretend=visit.pretend)
        if visit.call.method == "DELETE":
            return Reply(204)
    shown = extensions.show(event, name or "")
    if shown is None:
        raise GraphError(404, "ErrorItemNotFound", "The specified extension was not found.")
    return Reply.of_json(shown, 201 if visit.call.method == "POST" else 200)


def _translated(body: bytes) -> list[Json]:
    asked = json.loads(body)
    if len(asked["inputIds"]) > MOST_IDS:
        raise GraphError(400, "ErrorInvalidRequest", f"More than {MOST_IDS} ids cannot be translated at once.")
    if (asked["sourceIdType"], asked["targetIdType"]) in (("ewsId", "restId"), ("ewsId", "restImmutableEntryId")):
        return [{"sourceId": one, "targetId": graph_form(one)} for one in asked["inputIds"]]
    if (asked["sourceIdType"], asked["targetIdType"]) == ("restId", "restImmutableEntryId"):
        return [{"sourceId": one, "targetId": one} for one in asked["inputIds"]]
    raise GraphError(400, "ErrorInvalidRequest", "Only ewsId to restId is here.")


def _create(world: World, mailbox: Mailbox, route: Route, visit: Visit) -> Event:
    calendar = _calendar(mailbox, route) or mailbox.default
    change = patch.read(visit.call.body, None)
    if "start" not in change.properties or "end" not in change.properties:
        raise GraphError(400, "ErrorPropertyValidationFailure", "At least one property failed validation.")
    try:
        return world.store.create(
            mailbox, change, "graph", calendar=calendar.id, call=visit.request_id, pretend=visit.pretend
        )
    except Invalid as invalid:
        raise GraphError(400, "ErrorPropertyValidationFailure", "At least one property failed validation.") from invalid


def _matches(expected: str | None, event: Event) -> bool:
    return expected in (None, "*", event.etag, f'"{event.change_key}"')


def _list(world: World, mailbox: Mailbox, route: Route, view: View, call: Call) -> Reply:
    calendar = _calendar(mailbox, route)
    top, skip = (int(call.query.get(name, default)) for name, default in (("$top", "10"), ("$skip", "0")))
    events = world.store.events(mailbox, calendar.id if calendar else None)
    listed: dict[str, Json] = {"value": [show(event, view) for event in events[skip : skip + top]]}
    if len(events) > skip + top:
        listed["@odata.nextLink"] = f"{call.base}/graph/v1.0/{call.path}?$top={top}&$skip={skip + top}"
    return Reply.of_json(listed, headers=_applied(view))


def _shown(event: Event, view: View, status: int = 200) -> Reply:
    return Reply.of_json(show(event, view), status, {**_applied(view), "ETag": event.etag})


def _zones(path: str) -> list[Json]:
    iana = "iana" in path.lower()
    return [{"alias": name, "displayName": name} for name in (iana_names() if iana else known_zones())]


def _refused(error: GraphError, visit: Visit) -> Reply:
    return errors.reply(error, visit.request_id, _client_request_id(visit)).having(_identifying(visit))


def _applied(view: View) -> dict[str, str]:
    return {"Preference-Applied": ", ".join(view.applied)} if view.applied else {}


def _identifying(visit: Visit) -> dict[str, str]:
    return {"request-id": visit.request_id, "client-request-id": _client_request_id(visit)}


def _client_request_id(visit: Visit) -> str:
    return visit.call.headers.get("client-request-id", visit.request_id)
