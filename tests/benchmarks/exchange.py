"""An Exchange that costs next to nothing: one process, canned answers, as much latency as is asked for.

``python -m tests.benchmarks.exchange PORT TLS_PORT FOLDER``: EWS and Graph over plain HTTP, sign-in over TLS (msal
wants it) with the sandbox's certificates in FOLDER. It keeps each event's subject, marker and version, refuses a write
whose version has moved, and answers 429 for mailboxes whose name begins with ``throttled``. Everything else that an
Exchange does is the sandbox's business (ops/sandbox), which would be the bottleneck here.

Not here: reading XML. Requests are searched for what has to be known of them.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path

from ops.sandbox import certificates

LATENCY = re.compile(r"/latency/(\d+)")
ITEM = re.compile(r'ItemId [^>]*?Id="([^"]+)"')
CHANGE_KEY = re.compile(r'ChangeKey="([^"]+)"')
SUBJECT = re.compile(r"<(?:\w+:)?Subject>([^<]*)<")
MARKER = re.compile(r"<(?:\w+:)?Value>([^<]*)<")
LENGTH = re.compile(r"content-length: *(\d+)", re.IGNORECASE)
MAILBOX = re.compile(r"(?:SmtpAddress>|/users/)([^<@/]+)")
MARKER_ID = re.compile(r'"id": ?"(String [^"]+)"')
PROPERTY_SET = re.compile(r'PropertySetId="([^"]+)"')
RETRY_AFTER = 2
"""Seconds."""

ENVELOPE = (
    '<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"'
    ' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><s:Header>'
    '<t:ServerVersionInfo MajorVersion="15" MinorVersion="1" MajorBuildNumber="2507" MinorBuildNumber="9"'
    ' Version="V2017_07_11"/></s:Header>'
    "<s:Body>{}</s:Body></s:Envelope>"
)
ANSWER = (
    "<m:{0}Response><m:ResponseMessages><m:{0}ResponseMessage ResponseClass={1}>{2}</m:{0}ResponseMessage>"
    "</m:ResponseMessages></m:{0}Response>"
)
CALENDAR_ITEM = (
    '<m:Items><t:CalendarItem><t:ItemId Id="{id}" ChangeKey="{key}"/><t:ItemClass>IPM.Appointment</t:ItemClass>'
    "<t:Subject>{subject}</t:Subject><t:Sensitivity>Normal</t:Sensitivity><t:Importance>Normal</t:Importance>"
    "<t:DateTimeCreated>2026-11-01T09:00:00Z</t:DateTimeCreated><t:HasAttachments>false</t:HasAttachments>{marker}"
    "<t:Start>2026-12-01T09:00:00Z</t:Start><t:End>2026-12-01T10:00:00Z</t:End><t:IsAllDayEvent>false</t:IsAllDayEvent>"
    "<t:LegacyFreeBusyStatus>Busy</t:LegacyFreeBusyStatus><t:Location>Room 12</t:Location>"
    "<t:IsMeeting>false</t:IsMeeting><t:IsCancelled>false</t:IsCancelled><t:IsRecurring>false</t:IsRecurring>"
    "<t:CalendarItemType>Single</t:CalendarItemType></t:CalendarItem></m:Items>"
)
STAMP = (
    '<t:ExtendedProperty><t:ExtendedFieldURI PropertySetId="{}" PropertyName="rendezvous-updates"'
    ' PropertyType="String"/><t:Value>{}</t:Value></t:ExtendedProperty>'
)
FOLDER = (
    '<m:Folders><t:CalendarFolder><t:FolderId Id="calendar" ChangeKey="AQ=="/><t:FolderClass>IPF.Appointment'
    "</t:FolderClass><t:DisplayName>Calendar</t:DisplayName><t:TotalCount>1</t:TotalCount><t:ChildFolderCount>0"
    "</t:ChildFolderCount></t:CalendarFolder></m:Folders>"
)


@dataclass(slots=True)
class Event:
    """``property_set``, ``marker_id``: what the marker is named in EWS and in Graph."""

    subject: str = "Team building exercise"
    marker: str = ""
    number: int = 1
    property_set: str = ""
    marker_id: str = ""

    @property
    def version(self) -> str:
        return f"DwAAABYAAAB{self.number:08d}"


@dataclass(frozen=True, slots=True)
class Reply:
    status: str
    kind: str
    body: str
    headers: str = ""


class Exchange:
    """Every event exists as soon as somebody asks for it."""

    def __init__(self) -> None:
        self._events: dict[str, Event] = {}

    def answer(self, head: str, body: str) -> Reply:
        mailbox = MAILBOX.search(body if head.startswith("POST") else head)
        if mailbox and mailbox[1].startswith("throttled"):
            return Reply("429 Too Many Requests", "application/json", "{}", f"Retry-After: {RETRY_AFTER}\r\n")
        if "/oauth2/" in head or "/.well-known/" in head:
            return _sign_in(head)
        if head.startswith("POST"):
            known = self._ews(body)
            status = "200 OK" if known else "501 Not Implemented"
            return Reply(status, "text/xml; charset=utf-8", ENVELOPE.format(known))
        return self._graph(head, body)

    def _ews(self, body: str) -> str:
        """Empty for what nobody has asked for yet."""
        if "UpdateItem" in body:
            return self._update_item(body)
        if "GetItem" in body:
            item = ITEM.search(body)
            assert item is not None
            return ANSWER.format(
                "GetItem", '"Success"', f"<m:ResponseCode>NoError</m:ResponseCode>{self._item(item[1])}"
            )
        if "GetFolder" in body:
            return ANSWER.format("GetFolder", '"Success"', f"<m:ResponseCode>NoError</m:ResponseCode>{FOLDER}")
        return ""

    def _item(self, item_id: str) -> str:
        event = self._event(item_id)
        marker = STAMP.format(event.property_set, event.marker) if event.marker else ""
        return CALENDAR_ITEM.format(id=item_id, key=event.version, subject=event.subject, marker=marker)

    def _update_item(self, body: str) -> str:
        item, key = ITEM.search(body), CHANGE_KEY.search(body)
        assert item is not None
        event = self._event(item[1])
        if key is None or key[1] != event.version:
            moved = "<m:MessageText>moved</m:MessageText><m:ResponseCode>ErrorIrresolvableConflict</m:ResponseCode>"
            return ANSWER.format("UpdateItem", '"Error"', f"{moved}<m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>")
        if (subject := SUBJECT.search(body)) is not None:
            event.subject = subject[1]
        if (marker := MARKER.search(body)) is not None and (named := PROPERTY_SET.search(body)) is not None:
            event.marker, event.property_set = marker[1], named[1]
        event.number += 1
        written = (
            f'<m:Items><t:CalendarItem><t:ItemId Id="{item[1]}" ChangeKey="{event.version}"/></t:CalendarItem>'
            "</m:Items><m:ConflictResults><t:Count>0</t:Count></m:ConflictResults>"
        )
        return ANSWER.format("UpdateItem", '"Success"', f"<m:ResponseCode>NoError</m:ResponseCode>{written}")

    def _graph(self, head: str, body: str) -> Reply:
        path = head.split(" ", 2)[1].partition("?")[0]
        event_id = path.rpartition("/")[2]
        event = self._event(event_id)
        if head.startswith("PATCH"):
            wanted = re.search(r'if-match: *(?:W/)?"?([^"\r]+)', head, re.IGNORECASE)
            if wanted and wanted[1] != event.version:
                said = {"error": {"code": "ErrorIrresolvableConflict", "message": "moved"}}
                return Reply("412 Precondition Failed", "application/json", json.dumps(said))
            self._patch(event, body)
        return Reply(
            "200 OK", "application/json", json.dumps(_resource(event_id, event)), f'ETag: W/"{event.version}"\r\n'
        )

    def _patch(self, event: Event, body: str) -> None:
        asked = json.loads(body)
        event.subject = asked.get("subject", event.subject)
        for stamp in asked.get("singleValueExtendedProperties", ()):
            event.marker_id, event.marker = stamp["id"], stamp["value"]
        event.number += 1

    def _event(self, event_id: str) -> Event:
        return self._events.setdefault(event_id, Event())


def _resource(event_id: str, event: Event) -> dict[str, object]:
    """https://learn.microsoft.com/graph/api/resources/event"""
    stamps = [{"id": event.marker_id, "value": event.marker}] if event.marker else []
    return {
        "@odata.etag": f'W/"{event.version}"',
        "id": event_id,
        "changeKey": event.version,
        "createdDateTime": "2026-11-01T09:00:00Z",
        "subject": event.subject,
        "importance": "normal",
        "sensitivity": "normal",
        "showAs": "busy",
        "type": "singleInstance",
        "isAllDay": False,
        "isCancelled": False,
        "isOrganizer": True,
        "isOnlineMeeting": False,
        "start": {"dateTime": "2026-12-01T09:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-12-01T10:00:00.0000000", "timeZone": "UTC"},
        "location": {"displayName": "Room 12", "locationType": "default"},
        "attendees": [],
        "singleValueExtendedProperties": stamps,
    }


def _sign_in(head: str) -> Reply:
    host = re.search(r"host: *([^\r]+)", head, re.IGNORECASE)
    base = f"https://{host[1] if host else ''}/tenant"
    if "/.well-known/" in head:
        said = {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
        }
    else:
        said = {"token_type": "Bearer", "expires_in": "3600", "access_token": "benchmark"}
    return Reply("200 OK", "application/json", json.dumps(said))


class Connection(asyncio.Protocol):
    """HTTP/1.1, one request after the other."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = LENGTH.search(said := head.decode("latin-1"))
        if len(body) < (int(length[1]) if length else 0):
            return
        self._received = b""
        latency = LATENCY.search(said)
        answer = _bytes(self._exchange.answer(said, body.decode()))
        if latency is None:
            self._transport.write(answer)
        else:
            asyncio.get_running_loop().call_later(int(latency[1]) / 1000, self._transport.write, answer)


def _bytes(reply: Reply) -> bytes:
    body = reply.body.encode()
    head = (
        f"HTTP/1.1 {reply.status}\r\nContent-Type: {reply.kind}\r\nContent-Length: {len(body)}\r\n"
        f"request-id: 00000000-0000-0000-0000-000000000000\r\n{reply.headers}\r\n"
    )
    return head.encode() + body


async def serve(port: int, tls_port: int, folder: Path) -> None:
    """Until it is killed."""
    certificates.ensure(folder)
    trust = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trust.load_cert_chain(folder / "server.pem", folder / "server.key")
    exchange, loop = Exchange(), asyncio.get_running_loop()
    await loop.create_server(lambda: Connection(exchange), "127.0.0.1", tls_port, ssl=trust)
    plain = await loop.create_server(lambda: Connection(exchange), "127.0.0.1", port, backlog=512)
    await plain.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
