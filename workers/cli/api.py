"""Rendezvous over HTTP, as any client sees it. Failures are sentences that say what to do.

Not here: which calls a command makes, and how it shows the answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias
from urllib.parse import quote, urlsplit

import httpx

from workers.cli.failure import Failed
from workers.retry_after import retry_after
from workers.tls import trust

Json: TypeAlias = dict[str, Any]
"""An answer of the API, which is always an object."""
TIMEOUT = 30.0
"""Seconds for one call. It takes long because intake waits for the store's disk."""
LARGEST_PAGE = 100
WHOM_TO_TRUST = "See --url; SSL_CERT_FILE names the certificate of an authority of your own."
"""What to do where https is refused."""
_REMEDIES = {
    401: "Set RENDEZVOUS_API_KEY or give --key; `rendezvous keys new` makes one."
    " An operator's key opens /console only.",
    403: "Its operator adds mailboxes to a client's `mailboxes`.",
    404: "Check the id: what belongs to another client is not shown.",
}


class Passing(Failed):
    """It may pass by itself: nobody is there just now, or too much was asked. ``after``: seconds to wait before the
    next attempt."""

    def __init__(self, message: str, problem: Mapping[str, Any] | None = None, after: float = 0.0) -> None:
        super().__init__(message, problem)
        self.after = after


class Unanswered(Passing):
    """No answer came, or a 5xx: the request may have been accepted all the same."""


class Api:
    """One client of one Rendezvous. It and every method raise Failed."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        self._http = client(self._url, TIMEOUT)
        self._http.headers.update({"Authorization": f"Bearer {key}", "Accept": "application/json"})

    def get(self, path: str, **query: str | int | None) -> Json:
        """The JSON at a path. Query parameters that are None are left out."""
        return self._document("GET", path, params={name: value for name, value in query.items() if value is not None})

    def post(self, path: str, *, content: bytes | None = None, key: str | None = None, body: Any = None) -> Json:
        """POST ``content`` as it is, or ``body`` as JSON. ``key``: the idempotency key."""
        headers = {} if key is None else {"Idempotency-Key": key}
        if content is not None:
            headers["Content-Type"] = "application/json"
            return self._document("POST", path, headers=headers, content=content)
        return self._document("POST", path, headers=headers, json=body)

    def delete(self, path: str) -> None:
        self._call("DELETE", path)

    def items(self, path: str, limit: int, **query: str | None) -> Json:
        """The first ``limit`` entries of a list, fetched page by page and given in the form of one page."""
        items: list[Any] = []
        cursor: str | None = None
        while True:
            page = self.get(path, **query, limit=min(limit - len(items), LARGEST_PAGE), cursor=cursor)
            if not isinstance(page.get("items"), list):
                raise Failed(_stranger(self._url, 200))
            items += page["items"]
            cursor = page.get("nextCursor")
            if cursor is None or len(items) >= limit:
                return {"items": items, "nextCursor": cursor}

    def _document(self, method: str, path: str, **request: Any) -> Json:
        return _document(self._url, self._call(method, path, **request))

    def _call(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **request)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Passing(_nobody(self._url, error)) from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise Failed(f"{self._url} is not an address that can be asked ({error}): see --url.") from None
        except httpx.HTTPError as error:
            raise Unanswered(f"{self._url} did not answer ({type(error).__name__}). Look at its log.") from None
        if not answer.is_success:
            raise refusal(self._url, answer)
        return answer


def client(url: str, timeout: float) -> httpx.Client:
    """What asks Rendezvous at this address. Raises Failed if SSL_CERT_FILE cannot be used."""
    try:
        trusted = trust()
    except OSError as error:
        raise Failed(f"{error}. Correct it, or unset it.") from None
    return httpx.Client(base_url=url, timeout=timeout, verify=trusted, trust_env=not _is_here(url))


def refuses_tls(error: Exception) -> bool:
    """Whether somebody is there who cannot be asked over https."""
    return "[SSL" in str(error)


def segment(text: str) -> str:
    """An id as one segment of a path, whatever characters were typed."""
    return quote(text, safe="")


def refusal(url: str, answer: httpx.Response) -> Failed:
    """An answer that refuses the request, as a failure with a message for a person."""
    problem = _problem(answer)
    message = _stranger(url, answer.status_code) if problem is None else _refused(answer, problem)
    if answer.status_code < 500 and answer.status_code != 429:
        return Failed(message, problem)
    kind = Passing if answer.status_code == 429 else Unanswered
    return kind(message, problem, retry_after(answer.headers.get("retry-after"), datetime.now(UTC)) or 0.0)


def _refused(answer: httpx.Response, problem: Mapping[str, Any]) -> str:
    errors = problem.get("errors")
    faults = [fault for fault in errors if isinstance(fault, dict)] if isinstance(errors, list) else []
    listed = faults if len(faults) > 1 else []  # a single one is already in the detail
    lines = "".join(f"\n  {fault.get('pointer') or '/'}: {fault.get('detail')}" for fault in listed)
    detail = str(problem.get("detail") or "").strip()
    title = f"{answer.status_code} {problem.get('title')}"
    said = f"{title}{'' if title.endswith('?') else ':'} {detail}" if detail else title
    return f"{said}{lines}{_remedy(answer, problem)}"


def _remedy(answer: httpx.Response, problem: Mapping[str, Any]) -> str:
    wait = answer.headers.get("retry-after")
    if wait is not None and answer.status_code == 429 and answer.request.method == "POST":
        return f"\nNothing was accepted: try again in {wait} s."
    if wait is not None and answer.status_code in (429, 503):
        return f" Try again in {wait} s."
    if answer.status_code >= 500:
        return f"\nLook for the request id {problem.get('requestId', '?')} in its log."
    return f" {_REMEDIES[answer.status_code]}" if answer.status_code in _REMEDIES else ""


def _problem(answer: httpx.Response) -> Mapping[str, Any] | None:
    if not answer.headers.get("content-type", "").startswith("application/problem+json"):
        return None
    return _object(answer)


def _document(url: str, answer: httpx.Response) -> Json:
    document = _object(answer)
    if document is None:
        raise Failed(_stranger(url, answer.status_code))
    return document


def _object(answer: httpx.Response) -> Json | None:
    """The JSON object that an answer holds; None if it holds none."""
    try:
        found = answer.json()
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _stranger(url: str, status: int) -> str:
    return f"{url} answered {status} with something unknown: is it Rendezvous? See --url."


def _nobody(url: str, error: Exception) -> str:
    reason = "connection refused" if "refused" in str(error).lower() else str(error) or type(error).__name__
    if refuses_tls(error):
        return f"{url} cannot be asked over https: {reason}. {WHOM_TO_TRUST}"
    return (
        f"Nobody answers at {url} ({reason}). Start Rendezvous (`make run`), or say where it is with --url or"
        " RENDEZVOUS_URL."
    )


def _is_here(url: str) -> bool:
    """Whether the address is this machine's own, which a proxy cannot reach for us."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")
