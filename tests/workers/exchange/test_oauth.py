import base64
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from tests.served import dripping
from tests.workers.authority import Answer, Authority, certificate, oauth_error, running
from workers.exchange import AccessDenied, ExchangeError, Unavailable
from workers.exchange.oauth import BearerAuth, claims_challenge, scope_of
from workers.settings import EwsBackend, GraphBackend

SCOPE = "https://graph.microsoft.com/.default"
SECRET = "not-to-be-told"
NESTED = base64.b64encode(b"[" * 40_000).decode()
CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}'


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    with running(tmp_path) as authority:
        yield authority


def backend(authority: Authority, /, **changes: Any) -> GraphBackend:
    told: dict[str, Any] = {
        "kind": "graph",
        "name": "cloud",
        "mailboxes": ("*",),
        "authority": authority.url,
        "client_id": "app",
        "client_secret": SecretStr(SECRET),
        "ca_file": authority.ca_file,
        "timeout": 5,
    }
    return GraphBackend(**(told | changes))


class Service:
    """What the token is for: counts what it is asked with, refuses the tokens named."""

    def __init__(self, auth: BearerAuth, *refused: str, challenge: str = "Bearer"):
        self.seen: list[str] = []
        self.refused = refused
        self.challenge = challenge
        self.http = httpx.Client(auth=auth, transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        self.seen.append(token)
        if token in self.refused:
            return httpx.Response(401, headers={"WWW-Authenticate": self.challenge})
        return httpx.Response(200)

    def ask(self) -> int:
        return self.http.get("https://graph.example/").status_code


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_application_signs_in_with_its_secret(authority: Authority) -> None:
    service = Service(BearerAuth(backend(authority), SCOPE))
    assert (service.ask(), service.seen) == (200, ["token-1"])
    assert authority.asked[0]["grant_type"] == "client_credentials"
    assert authority.asked[0]["client_secret"] == SECRET
    assert authority.asked[0]["scope"] == SCOPE


def test_an_application_signs_in_with_its_certificate(authority: Authority, tmp_path: Path) -> None:
    pem = tmp_path / "app.pem"
    certificate(pem, rsa.generate_private_key(65537, 2048))
    auth = BearerAuth(backend(authority, client_secret=None, client_certificate_file=pem), SCOPE)
    assert Service(auth).ask() == 200
    key = x509.load_pem_x509_certificate(pem.read_bytes()).public_key()
    assertion = authority.asked[0]["client_assertion"]
    said = jwt.decode(assertion, key, algorithms=["PS256"], audience=f"{authority.url}/oauth2/v2.0/token")  # type: ignore[arg-type]
    assert (said["iss"], said["sub"]) == ("app", "app")


def test_an_ews_backend_signs_in_the_same_way(authority: Authority) -> None:
    told = backend(authority).model_dump(include={"authority", "client_id", "client_secret", "ca_file"})
    hq = EwsBackend(kind="ews", name="hq", mailboxes=("*",), url="https://mail.example/EWS", auth="oauth", **told)
    assert Service(BearerAuth(hq, scope_of(hq.url))).ask() == 200
    assert authority.asked[0]["scope"] == "https://mail.example/.default"


def test_a_person_signs_in_with_the_refresh_token_and_keeps_the_newest(authority: Authority) -> None:
    authority.refresh_token = "second"
    auth = BearerAuth(backend(authority, refresh_token=SecretStr("first")), SCOPE, delegated=True)
    service = Service(auth, "token-1")
    assert service.ask() == 200
    assert [form["grant_type"] for form in authority.asked] == ["refresh_token", "refresh_token"]
    assert [form["refresh_token"] for form in authority.asked] == ["first", "second"]
    authority.refresh_token = None
    for number in (2, 3):
        service.refused += (f"token-{number}",)
        assert service.ask() == 200
    assert [form["refresh_token"] for form in authority.asked[2:]] == ["second", "second"], "it is good until replaced"
    assert SCOPE in authority.asked[0]["scope"].split()


def test_ordinary_mailboxes_stay_with_the_application_where_both_are_configured(authority: Authority) -> None:
    Service(BearerAuth(backend(authority, refresh_token=SecretStr("first")), SCOPE)).ask()
    assert authority.asked[0]["grant_type"] == "client_credentials"


def test_a_token_serves_many_requests(authority: Authority) -> None:
    service = Service(BearerAuth(backend(authority), SCOPE))
    for _ in range(3):
        service.ask()
    assert (service.seen, len(authority.asked)) == (["token-1"] * 3, 1)


def test_threads_share_one_sign_in(authority: Authority) -> None:
    service = Service(BearerAuth(backend(authority), SCOPE))
    with ThreadPoolExecutor(16) as threads:
        assert set(threads.map(lambda _: service.ask(), range(64))) == {200}
    assert len(authority.asked) == 1


def test_threads_that_waited_for_a_sign_in_share_its_failure(authority: Authority) -> None:
    authority.answers, clock = [(503, {"Retry-After": "7"}, b"")], Clock()
    service = Service(BearerAuth(backend(authority), SCOPE, clock=clock))
    for _ in range(2):  # asked at the same moment, so the second has waited for the first
        with pytest.raises(Unavailable) as caught:
            service.ask()
        assert caught.value.retry_after == 7
    assert len(authority.asked) == 1
    clock.now = 1.0
    assert service.ask() == 200


def test_while_an_authority_hangs_one_thread_waits_for_it_and_the_others_are_told_its_failure(
    authority: Authority,
) -> None:
    clock, hanging, ends = Clock(), threading.Event(), threading.Event()
    service = Service(BearerAuth(backend(authority), SCOPE, clock=clock))
    service.ask()
    authority.answers, clock.now = [(503, {}, b"")], 3500.0
    service.ask()  # the first token is still good, but could not be renewed
    given = authority.answer

    def hang(form: dict[str, str]) -> Answer:
        hanging.set()
        ends.wait(5)
        return given(form)

    authority.answer = hang  # type: ignore[method-assign]
    with ThreadPoolExecutor(1) as threads:
        clock.now = 3590.0
        waiting = threads.submit(service.ask)
        hanging.wait(5)
        assert (service.ask(), service.seen[-1]) == (200, "token-1")
        clock.now = 3601.0
        with pytest.raises(Unavailable, match="HTTP 503"):
            service.ask()
        ends.set()
        assert waiting.result() == 200
    assert (service.ask(), service.seen[-1]) == (200, "token-3")


@pytest.mark.parametrize(("lifetime", "good_until"), [(3600, 3300), (60, 48)])
def test_a_token_is_renewed_before_it_expires(authority: Authority, lifetime: int, good_until: int) -> None:
    authority.lifetime, clock = lifetime, Clock()
    service = Service(BearerAuth(backend(authority), SCOPE, clock=clock))
    for clock.now in (0.0, good_until - 1.0, good_until + 1.0):
        service.ask()
    assert service.seen == ["token-1", "token-1", "token-2"]


def test_a_token_that_is_still_good_outlives_a_failed_renewal(authority: Authority) -> None:
    clock = Clock()
    service = Service(BearerAuth(backend(authority), SCOPE, clock=clock))
    service.ask()
    authority.answers = [(503, {}, b"")]
    for clock.now in (3301.0, 3302.0, 3340.0):
        service.ask()
    assert service.seen == ["token-1", "token-1", "token-1", "token-3"]


def test_an_expired_token_is_not_used_when_the_renewal_fails(authority: Authority) -> None:
    clock = Clock()
    service = Service(BearerAuth(backend(authority), SCOPE, clock=clock))
    service.ask()
    authority.answers, clock.now = [(503, {}, b"")], 3601.0
    with pytest.raises(Unavailable):
        service.ask()
    assert service.seen == ["token-1"]


def test_a_refused_token_is_renewed_once_and_the_request_sent_once_more(authority: Authority) -> None:
    service = Service(BearerAuth(backend(authority), SCOPE), "token-1")
    assert (service.ask(), service.seen) == (200, ["token-1", "token-2"])


def test_a_second_refusal_is_final(authority: Authority) -> None:
    service = Service(BearerAuth(backend(authority), SCOPE), "token-1", "token-2", "token-3")
    assert (service.ask(), service.seen) == (401, ["token-1", "token-2"])


def test_threads_that_were_refused_together_share_one_renewal(authority: Authority) -> None:
    auth = BearerAuth(backend(authority), SCOPE)
    service = Service(auth)
    service.ask()
    service.refused = ("token-1",)
    with ThreadPoolExecutor(16) as threads:
        assert set(threads.map(lambda _: service.ask(), range(16))) == {200}
    assert len(authority.asked) == 2


@pytest.mark.parametrize("delegated", [False, True])
def test_a_claims_challenge_is_passed_on(authority: Authority, delegated: bool) -> None:
    encoded = base64.b64encode(CLAIMS.encode()).decode()
    challenge = f'Bearer realm="", error="insufficient_claims", claims="{encoded}"'
    person = backend(authority, refresh_token=SecretStr("first"))
    assert Service(BearerAuth(person, SCOPE, delegated=delegated), "token-1", challenge=challenge).ask() == 200
    assert [form.get("claims") for form in authority.asked] == [None, CLAIMS]


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", 'Bearer claims="?"', 'Bearer claims="W10="', 'Bearer claims="/w=="', f'Bearer claims="{NESTED}"'],
)
def test_a_challenge_without_readable_claims_has_none(header: str) -> None:
    assert claims_challenge({"www-authenticate": header}) is None


def test_claims_may_come_without_padding() -> None:
    encoded = base64.urlsafe_b64encode(CLAIMS.encode()).decode().rstrip("=")
    assert json.loads(claims_challenge({"www-authenticate": f'Bearer claims="{encoded}"'}) or "") == json.loads(CLAIMS)


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (oauth_error("invalid_client", "AADSTS7000215: Wrong.\r\nTrace ID: 1", 401), AccessDenied, "invalid_client"),
        (oauth_error("invalid_grant", "AADSTS700082: The refresh token has expired."), AccessDenied, "invalid_grant"),
        (oauth_error("temporarily_unavailable", "AADSTS90033: try again"), Unavailable, "temporarily_unavailable"),
        (oauth_error("invalid_request", "AADSTS90055: TenantThrottlingError"), Unavailable, "invalid_request"),
        ((429, {"Retry-After": "7"}, b"{}"), Unavailable, "SignInFailed"),
        (oauth_error("invalid_request", "Too many requests.", 429), Unavailable, "SignInFailed"),
        (oauth_error("invalid_request", "It took too long.", 408), Unavailable, "SignInFailed"),
        ((503, {}, b"<html>"), Unavailable, "SignInFailed"),
        ((302, {"Location": "https://portal.example/"}, b""), Unavailable, "SignInFailed"),
        ((200, {}, b"<html>sign in to the wifi</html>"), Unavailable, "SignInFailed"),
        ((200, {}, b"[]"), Unavailable, "SignInFailed"),
        ((200, {}, b"[" * 100_000), Unavailable, "SignInFailed"),
        ((200, {}, b"{}"), Unavailable, "SignInFailed"),
        ((200, {}, b'{"access_token": "x", "ext_expires_in": null}'), Unavailable, "SignInFailed"),
        ((200, {}, b'{"access_token": "x", "expires_in": "soon"}'), Unavailable, "SignInFailed"),
        ((200, {}, b'{"access_token": "a token that no header holds\\r\\n"}'), Unavailable, "SignInFailed"),
        ((200, {}, b'{"access_token": "t\\u00f6ken"}'), Unavailable, "SignInFailed"),
        ((403, {}, b"<html>the proxy wants to know who you are</html>"), Unavailable, "SignInFailed"),
        ((401, {}, b"{}"), Unavailable, "SignInFailed"),
        ((407, {}, b'{"message": "Proxy Authentication Required"}'), Unavailable, "SignInFailed"),
        ((404, {}, b'["error"]'), Unavailable, "SignInFailed"),
    ],
)  # fmt: skip
def test_a_sign_in_that_fails_is_one_of_ours(
    authority: Authority, answer: Answer, kind: type[ExchangeError], code: str
) -> None:
    authority.answers = [answer]
    service = Service(BearerAuth(backend(authority), SCOPE))
    with pytest.raises(kind) as caught:
        service.ask()
    assert (caught.value.code, service.seen) == (code, [])
    assert "Trace ID" not in str(caught.value)


def test_a_busy_authority_tells_when_to_come_back_and_is_asked_anew(authority: Authority) -> None:
    authority.answers = [(429, {"Retry-After": "7"}, b"{}")]
    service = Service(BearerAuth(backend(authority), SCOPE))
    with pytest.raises(Unavailable) as caught:
        service.ask()
    assert caught.value.retry_after == 7
    assert service.ask() == 200


def test_an_authority_that_drips_for_ever_is_given_up_in_time() -> None:
    def drip(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=dripping(100))

    slow = Authority("https://login.example/contoso", Path())
    auth = BearerAuth(backend(slow, ca_file=None, timeout=0.05), SCOPE, transport=httpx.MockTransport(drip))
    with pytest.raises(Unavailable, match="did not end in time"):
        Service(auth).ask()


@pytest.mark.parametrize(
    ("discovery", "kind"),
    [
        (oauth_error("invalid_tenant", "AADSTS90002: Tenant 'contoso' not found."), AccessDenied),
        (oauth_error("invalid_tenant", "AADSTS90002: Tenant 'contoso' not found.", 404), AccessDenied),
        (oauth_error("access_denied", "not now", 401), Unavailable),
        (oauth_error("access_denied", "not now", 403), Unavailable),
        ((401, {}, b""), Unavailable),
        ((403, {}, b"<html>"), Unavailable),
        ((404, {}, b"{}"), Unavailable),
        ((500, {}, b""), Unavailable),
        ((200, {}, b"<html>"), Unavailable),
        ((200, {}, b"{}"), Unavailable),
        ((200, {}, b'{"authorization_endpoint": null, "token_endpoint": 1}'), Unavailable),
    ],
)
def test_an_unknown_tenant_is_denied_and_a_broken_discovery_may_pass(
    authority: Authority, discovery: Answer, kind: type[ExchangeError]
) -> None:
    authority.discovery = discovery
    with pytest.raises(kind):
        Service(BearerAuth(backend(authority), SCOPE)).ask()


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"authority": "https://127.0.0.1:1/contoso"}, Unavailable),
        ({"ca_file": None}, Unavailable),
    ],
)
def test_an_authority_that_cannot_be_reached_is_one_of_our_errors(
    authority: Authority, changes: dict[str, Any], kind: type[ExchangeError]
) -> None:
    with pytest.raises(kind):
        Service(BearerAuth(backend(authority, **changes), SCOPE)).ask()


@pytest.mark.parametrize("content", ["", "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"])
def test_a_certificate_file_that_lost_a_part_is_denied(authority: Authority, tmp_path: Path, content: str) -> None:
    pem = tmp_path / "app.pem"
    certificate(pem, rsa.generate_private_key(65537, 2048))
    configured = backend(authority, client_secret=None, client_certificate_file=pem)
    pem.write_text(content)
    with pytest.raises(AccessDenied, match="private key"):
        Service(BearerAuth(configured, SCOPE)).ask()


def test_a_key_that_cannot_sign_is_denied(authority: Authority, tmp_path: Path) -> None:
    pem = tmp_path / "app.pem"
    certificate(pem, rsa.generate_private_key(65537, 2048))
    configured = backend(authority, client_secret=None, client_certificate_file=pem)
    pem.write_text(pem.read_text().replace("-----BEGIN PRIVATE KEY-----\n", "-----BEGIN PRIVATE KEY-----\nAAAA"))
    with pytest.raises(AccessDenied):
        Service(BearerAuth(configured, SCOPE)).ask()


def test_other_things_may_stand_in_a_certificate_file(authority: Authority, tmp_path: Path) -> None:
    pem, key = tmp_path / "app.pem", rsa.generate_private_key(65537, 2048)
    certificate(pem, key)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    pem.write_bytes(public + pem.read_bytes())
    configured = backend(authority, client_secret=None, client_certificate_file=pem)
    assert Service(BearerAuth(configured, SCOPE)).ask() == 200


def test_no_secret_is_told(authority: Authority, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    authority.refresh_token = "second-refresh"
    auth = BearerAuth(backend(authority, refresh_token=SecretStr("first-refresh")), SCOPE, delegated=True)
    service = Service(auth, "token-1")
    service.ask()
    authority.answers = [oauth_error("invalid_client", "no", 401)]
    with pytest.raises(AccessDenied) as caught:
        Service(BearerAuth(backend(authority), SCOPE)).ask()
    told = caplog.text + repr(auth) + repr(vars(auth)) + repr(caught.value)
    assert not [
        secret for secret in (SECRET, "first-refresh", "second-refresh", "token-1", "token-2") if secret in told
    ]


@pytest.mark.parametrize(
    ("url", "scope"),
    [
        ("https://graph.microsoft.com/v1.0", "https://graph.microsoft.com/.default"),
        ("https://outlook.office365.com/EWS/Exchange.asmx", "https://outlook.office365.com/.default"),
    ],
)
def test_the_scope_is_the_services_own(url: str, scope: str) -> None:
    assert scope_of(url) == scope


def test_msal_is_loaded_only_to_sign_in() -> None:
    program = "import sys, workers.exchange.oauth, workers.graph.exchange; sys.exit('msal' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
