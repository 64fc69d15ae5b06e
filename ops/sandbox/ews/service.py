"""EWS's answers: a function of the world and a call."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal

from ops.sandbox.call import UNREADABLE, Call, Reply
from ops.sandbox.door import Door, Sight, Visit
from ops.sandbox.ews import (
    convert_id,
    create_item,
    find_item,
    folders,
    get_item,
    get_server_time_zones,
    soap,
    sync_folder_items,
    update_item,
)
from ops.sandbox.ews.soap import Element, ItemError, SoapFault
from ops.sandbox.ews.visitor import Visitor, mailbox_of, sign_in
from ops.sandbox.faults import Fault
from ops.sandbox.store import Missing
from ops.sandbox.world import World

OPERATIONS: Mapping[str, Callable[[Visitor], list[Element]]] = {
    "GetItem": get_item.answer,
    "UpdateItem": update_item.answer,
    "CreateItem": create_item.answer,
    "FindItem": find_item.answer,
    "GetFolder": folders.get_folder,
    "FindFolder": folders.find_folder,
    "ConvertId": convert_id.answer,
    "GetServerTimeZones": get_server_time_zones.answer,
    "SyncFolderItems": sync_folder_items.answer,
}
WRITES = frozenset({"UpdateItem", "CreateItem"})
SERVER_BUSY = "The server cannot service this request right now. Try again later."
TEXTS: Mapping[str, str] = {
    "ErrorServerBusy": SERVER_BUSY,
    "ErrorInternalServerTransientError": "An internal server error occurred. Try again later.",
    "ErrorMailboxStoreUnavailable": "The mailbox database is temporarily unavailable., Cannot open mailbox.",
    "ErrorMailboxMoveInProgress": "Mailbox move in progress. Try again later., Cannot open mailbox.",
    "ErrorExceededConnectionCount": "You have exceeded the available concurrent connections for your account. "
    "Try again once your other requests have completed.",
}


def answer(world: World, visit: Visit) -> Reply:
    """Answer a call, in SOAP when it is refused."""
    headers = {"request-id": visit.request_id, "X-FEServer": "SANDBOX"}
    if "client-request-id" in visit.call.headers:
        headers["client-request-id"] = visit.call.headers["client-request-id"]
    signed_in = sign_in(world, visit.call)
    if signed_in is None:
        return Reply(401, b"", {**headers, "WWW-Authenticate": 'Basic realm="sandbox"'})
    try:
        request = soap.read(visit.call.body)
        visitor = Visitor(world, visit, request, mailbox_of(world, signed_in, request))
        operation = OPERATIONS.get(request.operation)
        if operation is None:
            raise SoapFault("ErrorInvalidRequest", f"The sandbox does not know the operation {request.operation}.")
        reply = soap.response(request.operation, operation(visitor))
    except SoapFault as error:
        reply = soap.fault(error)
    except UNREADABLE as bad:
        reply = soap.fault(soap.schema_fault(0, repr(bad)))
    return reply.having(headers)


def failure(fault: Fault, visit: Visit) -> Reply:
    """A fault in EWS's words: a SOAP Fault, a response message, or a bare HTTP status."""
    code = fault.code or "ErrorServerBusy"
    text = fault.text or TEXTS.get(code, "An internal server error occurred. The operation failed.")
    values = {} if fault.back_off is None else {"BackOffMilliseconds": str(fault.back_off)}
    if fault.reply == "fault":
        reply = soap.fault(SoapFault(code, text, values))
    elif fault.reply == "message":
        operation = _operation(visit.call)
        reply = soap.response(operation, [soap.refused(operation, ItemError(code, text, values=values))])
    else:
        reply = Reply(fault.status)
    return reply.having({"request-id": visit.request_id, **fault.headers})


def look(world: World, call: Call) -> Sight:
    """Whose mailbox a call is about: the impersonated one, the caller's own, or the item's."""
    operation = _operation(call)
    method: Literal["read", "write"] = "write" if operation in WRITES else "read"
    text = call.body.decode(errors="replace")
    named = re.search(r"ConnectingSID>\s*<[^>]*>\s*([^<\s]+)", text) or re.search(
        r"EmailAddress>([^<]+)</\w+:EmailAddress>\s*</\w+:Mailbox>\s*</\w+:Dist", text
    )
    signed_in = sign_in(world, call)
    return Sight(
        _address(world, named[1] if named else (signed_in.user if signed_in else None), text), method, operation
    )


def crowded(world: World, inside: int, visit: Visit) -> Reply | None:
    """EWSMaxConcurrency: https://learn.microsoft.com/exchange/client-developer/exchange-web-services/ews-throttling-in-exchange."""
    most = world.behaviour.ews_concurrency
    if most is None or inside <= most:
        return None
    return failure(Fault(reply="fault", code="ErrorExceededConnectionCount"), visit)


DOOR = Door("ews", look, answer, failure, crowded)


def _operation(call: Call) -> str:
    match = re.search(rb"<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)", call.body)
    return match[1].decode() if match else ""


def _address(world: World, name: str | None, text: str) -> str:
    try:
        if name:
            return world.store.mailbox(name).address
        item = re.search(r'ItemId[^>]*\bId="([^"]+)"', text)
        return world.store.event(item[1]).mailbox if item else ""
    except Missing:
        return name or ""
