"""SOAP as Exchange speaks it: requests read, answers and faults built.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/ews-xml-elements-in-exchange
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from lxml import etree
from lxml.builder import ElementMaker

from ops.sandbox.call import Reply

Element: TypeAlias = etree._Element

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"
NS = {"s": SOAP, "t": TYPES, "m": MESSAGES}

T = ElementMaker(namespace=TYPES, nsmap={"t": TYPES})
M = ElementMaker(namespace=MESSAGES, nsmap={"m": MESSAGES, "t": TYPES})

VERSIONS = (
    "Exchange2007", "Exchange2007_SP1", "Exchange2010", "Exchange2010_SP1", "Exchange2010_SP2", "Exchange2013",
    "Exchange2013_SP1", "Exchange2015", "Exchange2016",
)  # fmt: skip
"""Oldest first."""
SINCE: Mapping[str, str] = {
    **dict.fromkeys(("StartTimeZone", "EndTimeZone"), "Exchange2010"),
    **dict.fromkeys(
        ("StartTimeZoneId", "EndTimeZoneId", "StartWallClock", "EndWallClock", "EnhancedLocation", "StoreEntryId"),
        "Exchange2013",
    ),
    **dict.fromkeys(("Hashtags", "Mentions", "InboxReminders", "CalendarActivityData"), "Exchange2016"),
}
"""Elements that not every version has, and the first that has them."""


_HELD = {"GetItem": "Items", "UpdateItem": "Items", "CreateItem": "Items", "GetFolder": "Folders"}


@dataclass
class SoapFault(Exception):
    """The whole call is refused: HTTP 500 with a Fault."""

    code: str
    text: str
    values: Mapping[str, str] = field(default_factory=dict)
    """``t:Value`` elements of the MessageXml by name."""
    violation: tuple[int, str] | None = None
    """Line and description of a breach of the schema."""


@dataclass
class ItemError(Exception):
    """One item is refused: a response message of class Error, HTTP 200."""

    code: str
    text: str
    path: Element | None = None
    """The field path that caused the error."""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """An EWS call: its operation and what its headers say."""

    operation: str
    element: Element
    version: str
    impersonated: str | None
    zone: str | None


def read(body: bytes) -> Request:
    """Read an envelope. Raises ``SoapFault`` if it is not one."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise schema_fault(error.lineno or 0, str(error)) from error
    if root.getroottree().docinfo.doctype or root.tag != f"{{{SOAP}}}Envelope":
        raise schema_fault(1, "The request is not a SOAP 1.1 envelope.")
    operation = root.find("s:Body/*", NS)
    if operation is None or not str(operation.tag).startswith(f"{{{MESSAGES}}}"):
        raise schema_fault(1, "The SOAP body holds no operation.")
    version = root.find("s:Header/t:RequestServerVersion", NS)
    stated = version.get("Version", "") if version is not None else "Exchange2007_SP1"
    if stated not in VERSIONS and not stated.startswith("V201"):
        raise SoapFault("ErrorInvalidServerVersion", "The specified server version is invalid.")
    sid = root.find("s:Header/t:ExchangeImpersonation/t:ConnectingSID/*", NS)
    zone = root.find("s:Header/t:TimeZoneContext/t:TimeZoneDefinition", NS)
    _check_version(operation, stated)
    return Request(
        operation=etree.QName(operation).localname,
        element=operation,
        version=stated,
        impersonated=(sid.text or "").strip() if sid is not None else None,
        zone=zone.get("Id") if zone is not None else None,
    )


def _check_version(operation: Element, stated: str) -> None:
    """Whatever the request names, by element or by FieldURI, has to be in the stated version."""
    newer = VERSIONS[VERSIONS.index(stated) + 1 :] if stated in VERSIONS else ()
    for element in operation.iter():
        name = element.get("FieldURI", etree.QName(element).localname).rpartition(":")[2]
        if SINCE.get(name) in newer:
            raise SoapFault(
                "ErrorIncorrectSchemaVersion",
                "The request is valid but does not specify the correct server version in the RequestServerVersion SOAP "
                f"header: {name} is of {SINCE[name]}.",
            )


def schema_fault(line: int, violation: str) -> SoapFault:
    """The Fault of a request that breaks the schema."""
    return SoapFault(
        "ErrorSchemaValidation", f"The request failed schema validation: {violation}", violation=(line, violation)
    )


def attribute(element: Element, name: str, allowed: tuple[str, ...]) -> str:
    """A required attribute with one of these values."""
    value = element.get(name)
    if value not in allowed:
        trouble = "is required but missing" if value is None else f"is invalid - The value '{value}' is not allowed"
        raise schema_fault(element.sourceline or 0, f"The '{name}' attribute {trouble}.")
    return value


def response(operation: str, messages: list[Element]) -> Reply:
    """An envelope with an operation's response messages."""
    body = M(f"{operation}Response", M.ResponseMessages(*messages))
    return Reply(200, envelope(body), {"Content-Type": "text/xml; charset=utf-8"})


def success(operation: str, *content: Element) -> Element:
    """A response message of class Success."""
    return M(f"{operation}ResponseMessage", M.ResponseCode("NoError"), *content, ResponseClass="Success")


def refused(operation: str, error: ItemError) -> Element:
    """A response message of class Error, with the empty list that the schema asks for."""
    held = _HELD.get(operation)
    details = [T.Value(value, Name=name) for name, value in error.values.items()]
    blame = [*details, *([error.path] if error.path is not None else [])]
    return M(
        f"{operation}ResponseMessage",
        M.MessageText(error.text),
        M.ResponseCode(error.code),
        M.DescriptiveLinkKey("0"),
        *([M.MessageXml(*blame)] if blame else []),
        *([M(held)] if held else []),
        ResponseClass="Error",
    )


def fault(error: SoapFault) -> Reply:
    """A SOAP Fault, HTTP 500."""
    e = ElementMaker(namespace=ERRORS, nsmap={"e": ERRORS})
    details = [T.Value(value, Name=name) for name, value in error.values.items()]
    if error.violation is not None:
        line, violation = error.violation
        details += [T.LineNumber(str(line)), T.LinePosition("1"), T.Violation(violation)]
    detail = etree.Element("detail")
    detail.extend([e.ResponseCode(error.code), e.Message(error.text)])
    if details:
        detail.append(T.MessageXml(*details))
    code = etree.Element("faultcode", nsmap={"a": TYPES})
    code.text = f"a:{error.code}"
    text = etree.Element("faultstring")
    text.set("{http://www.w3.org/XML/1998/namespace}lang", "en-US")
    text.text = error.text
    body = etree.Element(f"{{{SOAP}}}Fault", nsmap={"s": SOAP})
    body.extend([code, text, detail])
    return Reply(500, envelope(body), {"Content-Type": "text/xml; charset=utf-8"})


def envelope(body: Element) -> bytes:
    """The bytes of an envelope with the server's version."""
    root = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"s": SOAP})
    header = etree.SubElement(root, f"{{{SOAP}}}Header")
    header.append(
        T.ServerVersionInfo(
            MajorVersion="15", MinorVersion="1", MajorBuildNumber="2507", MinorBuildNumber="37", Version="V2017_07_11"
        )
    )
    etree.SubElement(root, f"{{{SOAP}}}Body").append(body)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")
