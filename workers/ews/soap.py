"""SOAP 1.1 as Exchange speaks it: envelopes out, answers in. Bytes and values only.

https://learn.microsoft.com/exchange/client-developer/exchange-web-services/soap-requests-in-exchange

Not here: what an operation's elements mean (one file per operation), what a response code means (errors).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lxml import etree

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"

_PREFIXES = {"s": SOAP, "t": TYPES, "m": MESSAGES, "e": ERRORS}
_DECLARED = {prefix: {prefix: namespace} for prefix, namespace in _PREFIXES.items()}
"""The namespaces that an element declares: only its own, because lxml parses each of them as a URI every time."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CHARACTER = re.compile(rb"&#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,10}));")


class Unwritable(ValueError):
    """XML cannot hold this text."""


class NotAnAnswer(ValueError):
    """These bytes are no answer of Exchange: not XML, truncated, not SOAP, or SOAP without a response or a fault."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a request says about itself: the schema version, whose mailbox it acts in, and the zone (a Windows name) of
    times that have none."""

    version: str
    impersonated: str | None = None
    zone: str | None = None


Kind = Literal["Success", "Warning", "Error", "Fault"]
_KINDS: Mapping[str, Kind] = {"Success": "Success", "Warning": "Warning"}


@dataclass(frozen=True, slots=True)
class Answer:
    """One response message, or the fault in its place.

    ``values``: what MessageXml adds, by name (``BackOffMilliseconds``, ``InnerErrorResponseCode``, …), and under
    ``Path`` the property that is to blame. ``client_fault``: the fault's code blames the request.
    """

    kind: Kind
    code: str
    text: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    client_fault: bool = False
    element: etree._Element | None = field(default=None, compare=False, repr=False)

    def find(self, path: str) -> etree._Element | None:
        """The first element at a path in the response message; a fault has none."""
        return None if self.element is None else find(self.element, path)


def element(name: str, *content: etree._Element | str | None, **attributes: str) -> etree._Element:
    """``element("t:Subject", "text")``: one element of a namespace above; None is left out. Raises Unwritable."""
    made = etree.Element(qualified(name), nsmap=_DECLARED[name.partition(":")[0]])
    for key, value in attributes.items():
        made.set(key, writable(value))
    for part in content:
        if isinstance(part, str):
            made.text = (made.text or "") + writable(part)
        elif part is not None:
            made.append(part)
    return made


def qualified(name: str) -> str:
    """``t:Subject`` → ``{http://…/types}Subject``."""
    prefix, _, local = name.partition(":")
    return f"{{{_PREFIXES[prefix]}}}{local}"


def find(parent: etree._Element, path: str) -> etree._Element | None:
    """The first element at a path of prefixed names (``t:Mailbox/t:Name``)."""
    return parent.find(path, _PREFIXES)


def find_all(parent: etree._Element, path: str) -> list[etree._Element]:
    """Every element at a path of prefixed names."""
    return parent.findall(path, _PREFIXES)


def text_of(parent: etree._Element, path: str) -> str | None:
    """The text at a path: None where the element is absent, the empty string where it is empty."""
    found = find(parent, path)
    return None if found is None else (found.text or "")


def writable(text: str) -> str:
    """The same text. Raises Unwritable, naming the first character that XML 1.0 does not allow."""
    if (wrong := _NOT_XML.search(text)) is not None:
        raise Unwritable(f"the character U+{ord(wrong.group()):04X} cannot be sent to Exchange")
    return text


def envelope(header: Header, body: etree._Element) -> bytes:
    """The request, its header elements in the order of Microsoft's services.wsdl."""
    message = element("s:Envelope", element("s:Header", *_header(header)), element("s:Body", body))
    etree.cleanup_namespaces(message, top_nsmap={key: _PREFIXES[key] for key in ("s", "t", "m")})
    return etree.tostring(message, xml_declaration=True, encoding="utf-8")


def _header(header: Header) -> list[etree._Element]:
    parts = []
    if header.impersonated is not None:
        address = element("t:PrimarySmtpAddress", header.impersonated)
        parts.append(element("t:ExchangeImpersonation", element("t:ConnectingSID", address)))
    parts.append(element("t:RequestServerVersion", Version=header.version))
    if header.zone is not None:
        parts.append(element("t:TimeZoneContext", element("t:TimeZoneDefinition", Id=header.zone)))
    return parts


def answers(body: bytes) -> tuple[Answer, ...]:
    """Every response message in an envelope, or its one fault. Raises NotAnAnswer."""
    root = parse(body)
    if root.tag != qualified("s:Envelope"):
        raise NotAnAnswer(f"the document is a {etree.QName(root).localname}, not a SOAP envelope")
    if (fault := find(root, "s:Body/s:Fault")) is not None:
        return (_fault(fault),)
    found = tuple(_message(message) for message in root.iter() if message.get("ResponseClass") is not None)
    if not found:
        raise NotAnAnswer("the envelope holds neither a response message nor a fault")
    return found


def parse(body: bytes) -> etree._Element:
    """The document's root. Raises NotAnAnswer, also for a document type declaration.

    Exchange escapes characters that XML does not allow even so (``&#x1;`` in a subject): such an answer is read with
    U+FFFD in their place.
    """
    try:
        return _parse(body)
    except NotAnAnswer:
        repaired = _CHARACTER.sub(_allowed, body)
        if repaired == body:
            raise
        return _parse(repaired)


def _parse(body: bytes) -> etree._Element:
    # One text may be longer than libxml2 allows by default: a body is bounded only by the size of the whole answer.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise NotAnAnswer(f"not XML: {error.msg}") from None
    except ValueError as error:
        raise NotAnAnswer(f"not XML: {error}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise NotAnAnswer("the document has a DOCTYPE")
    return root


def _allowed(reference: re.Match[bytes]) -> bytes:
    digits, base = (reference[1], 16) if reference[1] else (reference[2], 10)
    number = int(digits, base)
    return reference[0] if number <= 0x10FFFF and not _NOT_XML.match(chr(number)) else b"&#xFFFD;"


def _message(message: etree._Element) -> Answer:
    return Answer(
        kind=_KINDS.get(message.get("ResponseClass", ""), "Error"),
        code=_stripped(message, "m:ResponseCode") or "",
        text=_stripped(message, "m:MessageText") or "",
        values=_values(find(message, "m:MessageXml")),
        element=message,
    )


def _fault(fault: etree._Element) -> Answer:
    named = _stripped(fault, "faultcode") or _stripped(fault, "s:faultcode") or ""
    said = _stripped(fault, "faultstring") or _stripped(fault, "s:faultstring") or ""
    local = named.rpartition(":")[2]
    return Answer(
        kind="Fault",
        code=_stripped(fault, "detail/e:ResponseCode") or (local if local.startswith("Error") else ""),
        text=said or _stripped(fault, "detail/e:Message") or "",
        values=_values(find(fault, "detail/t:MessageXml")),
        client_fault=local == "Client",
    )


def _values(message_xml: etree._Element | None) -> Mapping[str, str]:
    values: dict[str, str] = {}
    for part in () if message_xml is None else message_xml.iter():
        if part is message_xml:
            continue
        local = etree.QName(part).localname
        if local == "Value" and part.get("Name"):
            values[part.get("Name", "")] = (part.text or "").strip()
        elif local in ("FieldURI", "IndexedFieldURI", "ExtendedFieldURI", "ExceptionFieldURI"):
            values["Path"] = part.get("FieldURI") or part.get("PropertyName") or part.get("PropertyTag") or local
        elif part.text and part.text.strip():
            values[local] = part.text.strip()
    return values


def _stripped(parent: etree._Element, path: str) -> str | None:
    found = text_of(parent, path)
    return None if found is None else found.strip()
