"""The console's door: signing in and out, and the checks of every request.

They run in this order: session, form token, visitor. Everything but the sign-in page and the static files needs a
visitor; every POST needs the form token of its own session. The cookie is ``SameSite=Lax``, so that browsers send it
when a link from elsewhere is followed: without it the sign-in page would come and replace the session by a new one.
"""

from __future__ import annotations

from typing import cast

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from werkzeug.urls import iri_to_uri
from werkzeug.wrappers import Response as BaseResponse

from webhooks import problems
from webhooks.console import session as sessions
from webhooks.console import visitor as visitors
from webhooks.console.session import COOKIE, LIFE, Session
from webhooks.console.visitor import Visitor
from webhooks.door import door
from webhooks.passage import passage
from webhooks.problems import Kind, Problem
from workers.settings import Client

_OPEN = frozenset({"console.sign_in", "console.signed_in", "console.static"})
_POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
FORM_AT_MOST = 16_384
"""Bytes."""
FOREIGN_FORM = Kind("foreign-form", 403, "This form is not yours", "Open the page again and send the form from there.")


def check() -> BaseResponse | None:
    """Before every request: set ``g.session`` and ``g.visitor``, or redirect to the sign-in page. Raises Problem (403,
    413, 429)."""
    if request.endpoint == "console.static":
        return None
    g.session = sessions.unseal(request.cookies.get(COOKIE), _secret())
    if request.method == "POST" and not _is_own_form():
        if request.endpoint != "console.signed_in" or g.session is None:
            raise _foreign()
        return redirect(_to_sign_in(request.form.get("to")), 303)  # another tab has signed in meanwhile
    g.visitor = who = visitors.with_mark(g.session.mark, door().settings) if g.session else None
    if who is None:
        return None if request.endpoint in _OPEN else redirect(_to_sign_in(_wanted()), 303)
    if who.client is None:
        g.visitor = visitors.seeing_also(who, door().store.clients())
    else:
        passage().client = who.client
        _spend(who.client)
    return None


def visitor() -> Visitor:
    """Who looks at the console. For views that need somebody."""
    return cast(Visitor, g.visitor)


def dress(response: Response) -> Response:
    """After every request: the page may load nothing from elsewhere, stand in no frame and be kept in no cache."""
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Referrer-Policy"] = "same-origin"
    if request.endpoint != "console.static":
        response.headers["Cache-Control"] = "no-store"
    return response


def words() -> dict[str, object]:
    """The variables that every template may use."""
    current: Session | None = g.get("session")
    return {
        "visitor": g.get("visitor"),
        "form_token": sessions.form_token(current, _secret()) if current else "",
        "flower_url": door().settings.flower_url.rstrip("/"),
    }


def install(console: Blueprint) -> None:
    """Hang the door into the blueprint."""
    console.before_request(check)
    console.after_request(dress)
    console.context_processor(words)
    console.add_url_rule("/sign-in", "sign_in", sign_in, methods=["GET"])
    console.add_url_rule("/sign-in", "signed_in", signed_in, methods=["POST"])
    console.add_url_rule("/sign-out", "sign_out", sign_out, methods=["POST"])


def sign_in() -> BaseResponse:
    """The page that asks for a key. Who is signed in is led on."""
    return redirect(_way_on(request.args.get("to", "")), 303) if g.visitor else _asking()


def signed_in() -> BaseResponse:
    """Sign in with the key that was given, or show the page again."""
    who = visitors.with_key(request.form.get("key", ""), door().settings)
    if who is None:
        return _asking("This key is not valid here.", 403)
    return _with_session(redirect(_way_on(request.form.get("to", "")), 303), sessions.begin(who.mark))


def sign_out() -> BaseResponse:
    """The browser forgets the session."""
    response = redirect(url_for("console.sign_in"), 303)
    response.delete_cookie(COOKIE, path=_path(), httponly=True, samesite="Lax", secure=request.is_secure)
    return response


def _asking(complaint: str = "", status: int = 200) -> Response:
    if g.session is None or g.session.mark:  # otherwise another tab may show this page, too, with this session's token
        g.session, g.visitor = sessions.begin(), None
    page = render_template("console/sign_in.html", complaint=complaint, to=request.values.get("to", ""))
    response = Response(page, status)
    _with_session(response, g.session)
    return response


def _to_sign_in(wanted: str | None) -> str:
    return url_for("console.sign_in", to=wanted or None)


def _wanted() -> str | None:
    """The page that a stranger asked for, for after the sign-in."""
    return iri_to_uri(request.script_root + request.full_path.rstrip("?")) if request.method == "GET" else None


def _way_on(wanted: str) -> str:
    """That page, if it is the console's: a link to the sign-in page may be anybody's."""
    overview = url_for("console.overview")
    return wanted if wanted.startswith(overview) and wanted.isascii() and wanted.isprintable() else overview


def _with_session(response: BaseResponse, session: Session) -> BaseResponse:
    response.set_cookie(
        COOKIE, sessions.seal(session, _secret()), max_age=LIFE, path=_path(), httponly=True, samesite="Lax",
        secure=request.is_secure,
    )  # fmt: skip
    return response


def _is_own_form() -> bool:
    """Whether the form has the token of this session. Raises Problem: 413, or 403 if another site has sent it."""
    if request.content_length is None or request.content_length > FORM_AT_MOST:
        raise Problem(problems.TOO_LARGE, "The form is too large.")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise _foreign()
    return sessions.is_own_form(g.session, request.form.get("form_token", ""), _secret())


def _foreign() -> Problem:
    return Problem(FOREIGN_FORM, "The form does not belong to this session; open the page again.")


def _spend(client: Client) -> None:
    wait = door().rates.spend(client, "reads")
    if wait is not None:
        raise Problem(problems.RATE_LIMITED, f"Come again in {wait} s.", headers={"Retry-After": str(wait)})


def _secret() -> str:
    """The configured secret, otherwise the one that all web processes share through the store."""
    if "console_secret" not in g:
        configured = door().settings.console_secret
        g.console_secret = configured.get_secret_value() if configured else door().store.console_secret()
    return str(g.console_secret)


def _path() -> str:
    return url_for("console.overview").rstrip("/")
