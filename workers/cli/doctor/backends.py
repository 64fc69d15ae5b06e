"""Each backend: is it reached over TLS, does it let us in, does its clock agree? Can one mailbox's calendar be read?

* Graph: https://learn.microsoft.com/graph/api/user-list-events
* EWS: https://learn.microsoft.com/exchange/client-developer/web-service-reference/getfolder-operation

It makes two small calls of its own, because workers/exchange only reads events whose ids are known.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import httpx

from workers.cli.doctor import clock
from workers.cli.doctor.finding import Finding, Verdict
from workers.ews import errors as ews_errors
from workers.ews.sign_in import auth_for
from workers.ews.soap import MESSAGES, Header, NotAnAnswer, answers, element, envelope
from workers.ews.sync_folder_items import default_calendar
from workers.exchange import AccessDenied, ExchangeError, NotFound, Refused, Unavailable
from workers.exchange.oauth import BearerAuth, scope_of
from workers.graph import errors as graph_errors
from workers.settings import Backend, EwsBackend, GraphBackend, Settings
from workers.tls import trust

PATIENCE = 15.0
"""Seconds for one call: less than for an update, because a person is waiting."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer. ``ours``: this machine's time when it came. ``date``: the backend's time. ``headers``: with names in
    lower case."""

    status: int
    body: bytes
    date: datetime | None
    ours: datetime
    headers: Mapping[str, str] = field(default_factory=dict)


def check(backend: Backend) -> Iterator[Finding]:
    """Sign in without touching a mailbox; if that goes well, on Graph also as the person whose refresh token there
    is."""
    found = tuple(_check(f"backend {backend.name}", backend, None))
    yield from found
    if found[0].verdict is Verdict.GOOD and isinstance(backend, GraphBackend) and backend.is_somebody:
        yield from _check(f"backend {backend.name} as me", backend, "me")


def _check(name: str, backend: Backend, mailbox: str | None) -> Iterable[Finding]:
    try:
        seen = ask(backend, mailbox)
    except (ExchangeError, httpx.HTTPError, OSError) as error:
        return (unreached(name, backend, error, mailbox),)
    return judge(name, backend, seen, mailbox)


def check_mailbox(settings: Settings, mailbox: str, chosen: str | None = None) -> Iterable[Finding]:
    """Read one mailbox's calendar, on the ``chosen`` backend or on the one to which an update of it would go."""
    name = f"mailbox {mailbox}"
    backend = settings.backends.get(chosen) if chosen else settings.backend_for(mailbox.lower())
    if backend is None and chosen:
        return (Finding.wrong(name, f"there is no backend {chosen}", f"Name one of {', '.join(settings.backends)}."),)
    if backend is None:
        return (Finding.wrong(name, "no backend serves it", "Add it to a backend's `mailboxes`."),)
    try:
        seen = ask(backend, mailbox)
    except (ExchangeError, httpx.HTTPError, OSError) as error:
        return (unreached(name, backend, error, mailbox),)
    return (judge_mailbox(name, backend, seen, mailbox),)


def ask(backend: Backend, mailbox: str | None) -> Seen:
    """One signed-in call, which reads the mailbox's calendar if a mailbox is given. Raises ExchangeError (from signing
    in), httpx.HTTPError, or OSError (a certificate that cannot be loaded)."""
    quick = backend.model_copy(update={"timeout": min(PATIENCE, backend.timeout)})
    graph = isinstance(quick, GraphBackend)
    auth = _bearer(quick, mailbox) if isinstance(quick, GraphBackend) else auth_for(quick)
    request = _get_events(quick, mailbox) if isinstance(quick, GraphBackend) else _get_folder(quick, mailbox)
    limits = httpx.Limits(max_connections=None if graph else 1)  # NTLM signs in one connection, not each request
    with httpx.Client(auth=auth, verify=trust(quick.ca_file), timeout=quick.timeout, limits=limits) as http:
        answer = http.send(request)
    date = _date(answer.headers.get("date"))
    return Seen(answer.status_code, answer.content, date, datetime.now(UTC), dict(answer.headers))


def judge(name: str, backend: Backend, seen: Seen, mailbox: str | None = None) -> Iterator[Finding]:
    """Any answer of Exchange but a 401 (on EWS also 403) means that we are let in. Other refusals do not matter here:
    the call names no mailbox, or only asks whether we may sign in as its owner."""
    if (barred := _barred(name, backend, seen, mailbox)) is not None:
        yield barred
    elif seen.status >= 500 and _code(seen) is None:
        yield Finding.wrong(name, f"answers HTTP {seen.status}", "Try again later: the backend itself has a problem.")
    else:
        yield Finding.good(name, f"{_url(backend)} lets us in ({_way(backend)})")
    if seen.date is not None:
        yield clock.compare(f"{backend.name}'s clock", seen.ours, seen.date)


def judge_mailbox(name: str, backend: Backend, seen: Seen, mailbox: str | None = None) -> Finding:
    """Whether the answer holds the calendar; if not, what it would mean for an update."""
    if (barred := _barred(name, backend, seen, mailbox)) is not None:
        return barred
    if seen.status == 200 and (_is_of_graph(seen) if backend.kind == "graph" else _code(seen) == "NoError"):
        return Finding.good(name, f"its calendar can be read on {backend.name}")
    refusal = _refusal(backend, seen)
    said = f"its calendar cannot be read on {backend.name}: {refusal}"
    return Finding.wrong(name, said, _remedy(backend, refusal))


def _barred(name: str, backend: Backend, seen: Seen, mailbox: str | None) -> Finding | None:
    """What keeps every update away from Exchange, whichever mailbox it is about."""
    if seen.status == 401:
        said = f"{_url(backend)} does not let us in: HTTP 401"
        return Finding.wrong(name, said, f"See to the sign-in: {_keys(backend, mailbox)}.")
    if seen.status == 403 and backend.kind == "ews":
        said = f"{_url(backend)} does not let us in: HTTP 403"
        remedy = "A policy closes EWS to us. Exchange Online switches EWS off: use a Graph backend."
        return Finding.wrong(name, said, remedy)
    if seen.status < 500 and not _is_exchange(backend, seen):
        graph = backend.kind == "graph"
        address = "base_url, which mostly ends in /v1.0" if graph else "url, which mostly ends in /EWS/Exchange.asmx"
        remedy = f"Correct its {address}, or see what answers there in its place."
        return Finding.wrong(name, f"{_url(backend)}: {_refusal(backend, seen)}", remedy)
    return None


def _refusal(backend: Backend, seen: Seen) -> ExchangeError:
    """What such an answer is to an update that reads."""
    if backend.kind == "graph":
        return graph_errors.classify(seen.status, seen.headers, seen.body, "read", seen.ours)
    judged = ews_errors.judge(ews_errors.Reply(seen.status, seen.headers, seen.body, seen.ours), "read")
    return judged if isinstance(judged, ExchangeError) else Unavailable(f"HTTP {seen.status}", judged.code)


def _remedy(backend: Backend, refusal: ExchangeError) -> str:
    if not isinstance(refusal, AccessDenied | NotFound | Refused):
        return "Exchange is busy, or has a problem: updates of the mailbox are tried again by themselves."
    if backend.kind == "graph":
        return "Grant the application Calendars.ReadWrite (and see its access policy), or correct the address."
    return "Give the service account ApplicationImpersonation or the mailbox's permission, or correct the address."


def unreached(name: str, backend: Backend, error: Exception, mailbox: str | None = None) -> Finding:
    """No answer came, or there was no token to ask with."""
    if isinstance(error, Unavailable):
        remedy = "See to the network, proxy and firewall between here and its sign-in, or correct authority."
        return Finding.wrong(name, str(error), _remedy_of_tls(str(error)) if _of_tls(error) else remedy)
    if isinstance(error, ExchangeError):
        return Finding.wrong(name, str(error), f"See to the sign-in: {_keys(backend, mailbox)}.")
    if isinstance(error, OSError):  # nothing was asked yet
        return Finding.wrong(name, str(error), "Correct SSL_CERT_FILE, or ca_file.")
    said = f"{_url(backend)} cannot be reached: {error or type(error).__name__}"
    if _of_tls(error):
        return Finding.wrong(name, said, _remedy_of_tls(said))
    return Finding.wrong(name, said, "Correct the address, or see to the network, proxy and firewall between.")


def _of_tls(error: Exception) -> bool:
    return isinstance(error.__cause__, ssl.SSLError) or "CERTIFICATE" in str(error)


def _remedy_of_tls(said: str) -> str:
    """By OpenSSL's words: https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/"""
    if "has expired" in said or "not yet valid" in said:
        return "Have its certificate renewed, or the clocks set, whichever is wrong."
    if "mismatch" in said:
        return "Use a name in its address that its certificate holds, or have a certificate made for this one."
    return "Name the authority of its certificate in ca_file."


def _keys(backend: Backend, mailbox: str | None) -> str:
    """What our sign-in is made of."""
    if isinstance(backend, GraphBackend) and backend.is_somebody and _is_me(mailbox):
        return f"what {backend.refresh_token_env} holds, authority and client_id"
    if isinstance(backend, GraphBackend) or backend.auth == "oauth":
        proof = backend.client_certificate_file or f"what {backend.client_secret_env} holds"
        return f"authority, client_id and {proof}"
    return f"what {backend.username_env} and {backend.password_env} hold, and auth = {backend.auth!r}"


def _way(backend: Backend) -> str:
    return "OAuth" if isinstance(backend, GraphBackend) else backend.auth


def _url(backend: Backend) -> str:
    return backend.base_url if isinstance(backend, GraphBackend) else backend.url


def _bearer(backend: GraphBackend, mailbox: str | None) -> BearerAuth:
    return BearerAuth(backend, scope_of(backend.base_url), delegated=_is_me(mailbox))


def _is_me(mailbox: str | None) -> bool:
    return (mailbox or "").lower() == "me"


def _get_events(backend: GraphBackend, mailbox: str | None) -> httpx.Request:
    base = backend.base_url.rstrip("/")
    if mailbox is None:
        return httpx.Request("GET", f"{base}/")
    owner = "me" if _is_me(mailbox) else f"users/{quote(mailbox, safe='@')}"
    return httpx.Request("GET", f"{base}/{owner}/calendar/events?$top=1&$select=id")


def _get_folder(backend: EwsBackend, mailbox: str | None) -> httpx.Request:
    """Asks for the id of the mailbox's calendar folder; without a mailbox, of the service account's own."""
    folder = default_calendar(None if backend.impersonation else mailbox)
    body = element(
        "m:GetFolder",
        element("m:FolderShape", element("t:BaseShape", "IdOnly")),
        element("m:FolderIds", folder),
    )
    header = Header(backend.server_version, impersonated=mailbox if backend.impersonation else None)
    headers = {"Content-Type": "text/xml; charset=utf-8", "Accept": "text/xml", "SOAPAction": f'"{MESSAGES}/GetFolder"'}
    if mailbox and mailbox.isascii():
        headers["X-AnchorMailbox"] = mailbox
    return httpx.Request("POST", backend.url, headers=headers, content=envelope(header, body))


def _is_exchange(backend: Backend, seen: Seen) -> bool:
    """Whether it was the backend that answered, and no other web server."""
    return _is_of_graph(seen) if backend.kind == "graph" else _code(seen) is not None


def _is_of_graph(seen: Seen) -> bool:
    """Graph's answers are JSON objects: an error, a list, or something that names its context."""
    try:
        answer = json.loads(seen.body)
    except (ValueError, RecursionError):
        return False
    return isinstance(answer, dict) and not answer.keys().isdisjoint(("error", "value", "@odata.context"))


def _code(seen: Seen) -> str | None:
    """The response code of an EWS answer; None if it is not one."""
    try:
        return answers(seen.body)[0].code
    except NotAnAnswer:
        return None


def _date(header: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(header).astimezone(UTC) if header else None
    except ValueError:
        return None
