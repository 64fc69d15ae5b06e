"""What ``rendezvous doctor`` makes of what it sees."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from redis import ConnectionError, Redis

from ops.sandbox.process import free_port
from tests.configured import configured
from tests.workers import rabbitmq
from tests.workers.cli.conftest import run
from workers.celery.bell import BrokerUnavailable
from workers.cli.doctor import backends, broker, clock, egress, processes, store, summary
from workers.cli.doctor.backends import Seen
from workers.cli.doctor.finding import Finding, Verdict
from workers.exchange import AccessDenied, Away, ExchangeError, Unavailable
from workers.settings import Settings
from workers.store.connection import ServerState

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
WELL = store.Report(
    version="7.2.4", valkey=None, writing=0.001, now=NOW, ours=NOW, swept=NOW - timedelta(seconds=1),
    state=ServerState(2**20, 2**30, "noeviction", appends=True, written=True, fsync="always"),
)  # fmt: skip


def judged(**changes: Any) -> dict[str, Finding]:
    """The findings that are not good, by name."""
    inner = {name: changes.pop(name) for name in ServerState.__slots__ if name in changes}
    found = store.judge(replace(WELL, state=replace(WELL.state, **inner), **changes), sweep=1.0)
    return {finding.name: finding for finding in found if finding.verdict is not Verdict.GOOD}


def test_a_store_that_is_as_it_should_be_is_well() -> None:
    assert judged() == {}


@pytest.mark.parametrize(
    ("changes", "name", "verdict"),
    [
        ({"version": "6.2.14"}, "store", Verdict.WRONG),
        ({"version": "?"}, "store", Verdict.WRONG),
        ({"eviction": "allkeys-lru"}, "store keeps", Verdict.WRONG),
        ({"memory": 101, "memory_limit": 100}, "store's memory", Verdict.WRONG),
        ({"memory": 90, "memory_limit": 100}, "store's memory", Verdict.DOUBTFUL),
        ({"memory_limit": 0}, "store's memory", Verdict.DOUBTFUL),
        ({"writing": None}, "store's speed", Verdict.WRONG),
        ({"appends": False}, "store persists", Verdict.WRONG),
        ({"written": False}, "store persists", Verdict.WRONG),
        ({"fsync": "everysec"}, "store persists", Verdict.WRONG),
        ({"fsync": None}, "store persists", Verdict.DOUBTFUL),
        ({"writing": 0.2}, "store's speed", Verdict.DOUBTFUL),
        ({"ours": NOW - timedelta(seconds=20)}, "store's clock", Verdict.DOUBTFUL),
        ({"ours": NOW + timedelta(minutes=5)}, "store's clock", Verdict.WRONG),
        ({"swept": None}, "beat", Verdict.WRONG),
        ({"swept": NOW - timedelta(minutes=1)}, "beat", Verdict.WRONG),
    ],
)
def test_each_way_in_which_a_store_is_not_well_is_told_with_a_remedy(
    changes: dict[str, Any], name: str, verdict: Verdict
) -> None:
    found = judged(**changes)
    assert list(found) == [name]
    assert found[name].verdict is verdict
    assert found[name].remedy


def test_a_real_store_is_seen_as_it_is(settings: Settings, redis: Redis) -> None:
    found = {finding.name: finding.verdict for finding in store.check(settings)}
    assert found == {
        "store": Verdict.GOOD, "store keeps": Verdict.GOOD, "store's memory": found["store's memory"],
        "store persists": Verdict.GOOD, "store's speed": found["store's speed"],
        "store's clock": Verdict.GOOD, "beat": Verdict.WRONG,
    }  # fmt: skip
    assert 0 < redis.pttl("rdv:doctor") <= 1000


def test_a_store_that_would_lose_updates_is_seen(settings: Settings, redis: Redis) -> None:
    with configured(redis, appendfsync="everysec"):
        found = {finding.name: finding for finding in store.check(settings)}
    assert found["store persists"].verdict is Verdict.WRONG


def test_a_full_store_is_told_as_that_and_not_as_one_that_is_away(settings: Settings, redis: Redis) -> None:
    with configured(redis, maxmemory=1):
        found = {finding.name: finding for finding in store.check(settings)}
    assert found["store"].verdict is Verdict.GOOD
    assert found["store's memory"].verdict is Verdict.WRONG
    assert "Raise maxmemory" in found["store's memory"].remedy


def test_a_store_that_does_not_know_us_is_told_as_that(settings: Settings) -> None:
    stranger = settings.store_url.replace("redis://", "redis://nobody:wrong@")
    [found] = store.check(settings.model_copy(update={"store_url": stranger}))
    assert (found.verdict, "password" in found.remedy) == (Verdict.WRONG, True)


def test_a_store_is_called_what_it_calls_itself(settings: Settings, redis: Redis) -> None:
    own = redis.info("server")
    name = f"Valkey {own['valkey_version']}" if "valkey_version" in own else f"Redis {own['redis_version']}"
    assert next(iter(store.check(settings))).said == f"{name} answers"
    assert next(store.judge(WELL, sweep=1.0)).said == "Redis 7.2.4 answers"


def test_a_broker_that_does_not_know_us_is_told_as_that(settings: Settings) -> None:
    stranger = settings.broker_url.replace("redis://", "redis://nobody:wrong@")
    [found] = broker.check(settings.model_copy(update={"broker_url": stranger}))
    assert (found.verdict, "password" in found.remedy) == (Verdict.WRONG, True)


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("Timeout reading from socket", "It hangs or is cut off"),
        ("timed out", "It hangs or is cut off"),
        ("Connection refused", "Start"),
    ],
)
def test_a_server_that_hangs_is_told_apart_from_one_that_is_not_there(said: str, remedy: str) -> None:
    assert store.unreached(ConnectionError(said)).remedy.startswith(remedy)
    assert broker.unreached(BrokerUnavailable(f"the broker does not answer: {said}")).remedy.startswith(remedy)


def test_two_workers_of_one_name_do_not_write_among_the_findings(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    twice = [{"updates@a": [{"name": "updates"}]}] * 2
    monkeypatch.setattr("celery.app.control.Control.broadcast", lambda *_, **__: twice)
    assert "1 alive: updates@a" in next(iter(processes.check_workers(settings))).said
    assert not [str(one.message) for one in recwarn]


def test_a_clock_that_is_behind_is_told_as_such() -> None:
    assert "120 s behind" in clock.compare("x", NOW, NOW - timedelta(minutes=2)).said
    assert "120 s ahead" in clock.compare("x", NOW, NOW + timedelta(minutes=2)).said


@pytest.mark.parametrize(
    ("resolved", "verdict", "said"),
    [
        (["20.190.159.0", "20.190.159.1"], Verdict.GOOD, "graph.microsoft.com resolves to 2 public address(es)"),
        ([], Verdict.DOUBTFUL, "graph.microsoft.com does not resolve"),
        (["10.0.0.53"], Verdict.DOUBTFUL, "graph.microsoft.com is 10.0.0.53, which is not a public address"),
    ],
)
def test_callbacks_need_names_of_the_internet_and_may_do_without(
    resolved: list[str], verdict: Verdict, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        if not resolved:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in resolved]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    [found] = egress.check()
    assert (found.verdict, said in found.said) == (verdict, True), found
    assert ("callback_networks of your own they may work" in found.remedy) == (verdict is Verdict.DOUBTFUL)


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, b'{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata", "value": []}', "good"),
        (404, b'{"error": {"code": "ResourceNotFound", "message": "No."}}', "good"),
        (403, b'{"error": {"code": "Authorization_RequestDenied", "message": "No."}}', "good"),
        (401, b'{"error": {"code": "InvalidAuthenticationToken", "message": "No."}}', "wrong"),
        (502, b"", "wrong"),
    ],
)
def test_graph_lets_us_in_unless_it_says_401(settings: Settings, status: int, body: bytes, verdict: str) -> None:
    [found] = backends.judge("x", settings.backends["cloud"], Seen(status, body, None, NOW))
    assert found.verdict == verdict


@pytest.mark.parametrize(("status", "remedy"), [(401, "sign-in"), (403, "use a Graph backend")])
def test_ews_that_turns_us_away_is_told_with_what_to_do(settings: Settings, status: int, remedy: str) -> None:
    seen = Seen(status, b"", None, NOW)
    [found] = backends.judge("x", settings.backends["hq"], seen)
    assert (found.verdict, remedy in found.remedy) == (Verdict.WRONG, True)
    assert backends.judge_mailbox("x", settings.backends["hq"], seen) == found


@pytest.mark.parametrize(
    ("status", "headers"), [(404, {}), (200, {}), (302, {"location": "https://mail.hq.example/owa/auth/logon.aspx"})]
)
def test_what_is_not_ews_does_not_pass_for_it(settings: Settings, status: int, headers: dict[str, str]) -> None:
    seen = Seen(status, b"<html>Welcome</html>", None, NOW, headers)
    [found] = backends.judge("x", settings.backends["hq"], seen)
    assert (found.verdict, "/EWS/Exchange.asmx" in found.remedy) == (Verdict.WRONG, True)
    assert (headers.get("location") or "no answer of Exchange") in found.said
    assert backends.judge_mailbox("x", settings.backends["hq"], seen) == found


@pytest.mark.parametrize("status", [200, 302, 404])
@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b"", b"[]", b'{"ok": true}'])
def test_what_is_not_graph_does_not_pass_for_it(settings: Settings, status: int, body: bytes) -> None:
    backend, seen = settings.backends["cloud"], Seen(status, body, None, NOW)
    [found] = backends.judge("x", backend, seen)
    assert (found.verdict, "base_url" in found.remedy) == (Verdict.WRONG, True)
    assert "not one of Graph's" in found.said
    assert backends.judge_mailbox("x", backend, seen) == found


def test_a_refusal_of_exchange_means_that_it_lets_us_in(settings: Settings) -> None:
    seen = Seen(500, soap("ErrorInvalidRequest"), None, NOW)
    [found] = backends.judge("x", settings.backends["hq"], seen)
    assert found.verdict is Verdict.GOOD


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("unable to get local issuer certificate", "ca_file"),
        ("certificate has expired", "renewed"),
        ("certificate is not yet valid", "clocks"),
        ("Hostname mismatch, certificate is not valid for 'mail.hq.example'.", "name"),
        ("IP address mismatch, certificate is not valid for '10.1.0.1'.", "name"),
    ],
)
def test_a_certificate_that_is_not_taken_is_told_with_what_to_do(settings: Settings, reason: str, remedy: str) -> None:
    error = httpx.ConnectError(f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {reason} (_ssl.c:992)")
    found = backends.unreached("x", settings.backends["hq"], error)
    assert remedy in found.remedy
    assert (remedy == "ca_file") == ("ca_file" in found.remedy)
    signing_in = Away("SignInFailed", f"signing in: {error}")
    assert backends.unreached("x", settings.backends["cloud"], signing_in).remedy == found.remedy


def soap(code: str) -> bytes:
    """A fault of Exchange."""
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Server'
        '</faultcode><faultstring>No.</faultstring><detail><e:ResponseCode xmlns:e="http://schemas.microsoft.com/'
        f'exchange/services/2006/errors">{code}</e:ResponseCode></detail></s:Fault></s:Body></s:Envelope>'
    ).encode()


@pytest.mark.parametrize(
    ("name", "status", "body", "remedy"),
    [
        ("cloud", 429, b'{"error": {"code": "ApplicationThrottled"}}', "by themselves"),
        ("cloud", 503, b"", "by themselves"),
        ("cloud", 404, b'{"error": {"code": "ErrorInvalidUser"}}', "correct the address"),
        ("cloud", 403, b'{"error": {"code": "ErrorAccessDenied"}}', "Calendars.ReadWrite"),
        ("hq", 500, soap("ErrorServerBusy"), "by themselves"),
        ("hq", 500, soap("ErrorMailboxStoreUnavailable"), "by themselves"),
        ("hq", 500, soap("ErrorNonExistentMailbox"), "correct the address"),
        ("hq", 500, soap("ErrorImpersonateUserDenied"), "ApplicationImpersonation"),
    ],
)
def test_a_mailbox_that_is_only_busy_asks_for_no_permission(
    settings: Settings, name: str, status: int, body: bytes, remedy: str
) -> None:
    found = backends.judge_mailbox("x", settings.backends[name], Seen(status, body, None, NOW))
    assert (found.verdict, remedy in found.remedy) == (Verdict.WRONG, True), found


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (Unavailable("SignInFailed", "signing in: nobody"), "network"),
        (AccessDenied("invalid_client", "no"), "client_id"),
    ],
)
def test_a_sign_in_that_is_away_is_told_apart_from_one_that_refuses(
    settings: Settings, error: ExchangeError, remedy: str
) -> None:
    assert remedy in backends.unreached("x", settings.backends["cloud"], error).remedy


def test_a_queue_that_nobody_serves_names_the_process_to_start() -> None:
    served = {"updates@a": [{"name": "updates"}], "updates@b": [{"name": "updates"}]}
    worker, callbacks, notifications = processes.judge_workers(served)
    assert (worker.verdict, worker.said) == (Verdict.GOOD, "2 alive: updates@a, updates@b")
    assert [one.name for one in (worker, callbacks, notifications)] == [
        "worker (updates)", "callbacks", "worker (notifications)",
    ]  # fmt: skip
    assert (callbacks.verdict, callbacks.remedy) == (Verdict.WRONG, "Start `callbacks` of the Procfile.")
    assert (notifications.verdict, notifications.remedy) == (Verdict.WRONG, "Start `worker` of the Procfile.")


def test_workers_that_cannot_be_asked_as_the_broker_is_full_are_a_finding(settings: Settings, redis: Redis) -> None:
    with configured(redis, maxmemory=1):
        [found] = processes.check_workers(settings)
    assert (found.verdict, found.remedy) == (Verdict.WRONG, "See to the broker first.")


def test_workers_behind_a_broker_that_does_not_know_us_are_a_finding(settings: Settings) -> None:
    with rabbitmq.refusing() as url:
        [found] = processes.check_workers(settings.model_copy(update={"broker_url": url}))
    assert (found.verdict, found.remedy) == (Verdict.WRONG, "See to the broker first.")


@pytest.mark.parametrize("body", [b'{"detail": "the broker is away"}', b"[]", b"nonsense"])
def test_a_web_process_that_is_not_ready_is_told_whatever_it_says(body: bytes) -> None:
    found = processes.judge_web("http://x", httpx.Response(503, content=body))
    assert found.verdict is Verdict.WRONG


def test_a_configuration_that_cannot_be_used_is_the_only_finding(tmp_path: Path) -> None:
    result = run("doctor", "--json", RENDEZVOUS_CONFIG=str(tmp_path / "nowhere.toml"))
    told = json.loads(result.stdout)
    assert (result.exit_code, told["ok"]) == (1, False)
    assert [finding["name"] for finding in told["findings"]] == ["configuration"]


def test_where_nothing_runs_every_part_is_named_with_a_remedy(config: Path) -> None:
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    result = run(
        "doctor", "--mailbox", "otto@hq.example", RENDEZVOUS_CONFIG=str(config), RENDEZVOUS_STORE_URL=nowhere,
        RENDEZVOUS_URL=f"http://127.0.0.1:{free_port()}", HR_SECRET="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        HQ_USER="u", HQ_PASSWORD="p4ss-canary",
    )  # fmt: skip
    assert result.exit_code == 1
    for name in ("store", "broker", "web", "workers", "backend hq", "mailbox otto@hq.example"):
        assert f"✗ {name} " in result.stdout, result.stdout
    assert result.stdout.count("→") >= 6
    assert "p4ss-canary" not in result.output


def test_the_last_line_counts_what_failed_and_what_to_look_at() -> None:
    good, doubtful, wrong = Finding.good("a", ""), Finding.doubtful("b", "", "x"), Finding.wrong("c", "", "x")
    assert summary([good]) == "Everything is well."
    assert summary([good, doubtful]) == "It works; 1 of 2 to look at."
    assert summary([good, doubtful, wrong]) == "1 of 3 checks failed."


@pytest.mark.parametrize(
    ("name", "mailbox", "holds"),
    [("cloud", "anna@contoso.com", "CLOUD_CLIENT_SECRET"), ("cloud", "me", "CLOUD_REFRESH"), ("hq", "me", "HQ_USER")],
)
def test_a_sign_in_that_is_turned_away_names_what_it_was_made_of(
    settings: Settings, name: str, mailbox: str, holds: str
) -> None:
    of_cloud = {"client_secret_env": "CLOUD_CLIENT_SECRET", "refresh_token_env": "CLOUD_REFRESH"}
    signed_in = {**of_cloud, "refresh_token": SecretStr("r"), "username_env": "HQ_USER"}
    backend = settings.backends[name].model_copy(update=signed_in)
    for found in (
        backends.judge_mailbox("x", backend, Seen(401, b"", None, NOW), mailbox),
        backends.unreached("x", backend, AccessDenied("invalid_grant", "no"), mailbox),
    ):
        assert (found.verdict, f"what {holds}" in found.remedy) == (Verdict.WRONG, True), found


def test_a_backend_is_also_signed_in_to_as_the_person_whose_refresh_token_there_is(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = settings.backends["cloud"]
    person = app.model_copy(update={"refresh_token": SecretStr("r")})
    answers = iter([Seen(200, b'{"value": []}', None, NOW)] * 3 + [Seen(401, b"", None, NOW)])
    monkeypatch.setattr(backends, "ask", lambda *_: next(answers))
    for backend, names in ((app, ["cloud"]), (person, ["cloud", "cloud as me"]), (person, ["cloud"])):
        assert [found.name for found in backends.check(backend)] == [f"backend {name}" for name in names]


@pytest.mark.parametrize(("chosen", "asked"), [(None, "signing in"), ("hq", "/EWS/Exchange.asmx")])
def test_a_mailbox_is_read_where_it_is_served_or_where_one_says(
    settings: Settings, chosen: str | None, asked: str
) -> None:
    [found] = backends.check_mailbox(settings, "anna@contoso.com", chosen)
    assert (found.verdict, asked in found.said) == (Verdict.WRONG, True), found


def test_a_backend_that_is_not_there_is_told_with_those_that_are(settings: Settings) -> None:
    [found] = backends.check_mailbox(settings, "anna@contoso.com", "clout")
    assert (found.said, found.remedy) == ("there is no backend clout", "Name one of cloud, hq.")


@pytest.mark.parametrize("arguments", [("--mailbox", ""), ("--mailbox", "a@contoso.com", "--backend", "")])
def test_an_empty_mailbox_or_backend_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    result = run("doctor", *arguments)
    assert (result.exit_code, "is empty" in result.stderr) == (2, True)


def test_a_backend_without_a_mailbox_is_a_usage_error() -> None:
    result = run("doctor", "--backend", "cloud")
    assert (result.exit_code, "goes with --mailbox" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("proof", "named"),
    [
        ({"client_secret_env": "CLOUD_CLIENT_SECRET"}, "client_id and what CLOUD_CLIENT_SECRET holds"),
        ({"client_certificate_file": Path("/etc/cloud.pem")}, "client_id and /etc/cloud.pem"),
    ],
)
def test_a_sign_in_that_is_refused_names_what_to_look_at(settings: Settings, proof: dict[str, Any], named: str) -> None:
    backend = settings.backends["cloud"].model_copy(update=proof)
    assert named in backends.unreached("x", backend, AccessDenied("invalid_client", "no")).remedy


def test_a_mailbox_that_no_backend_serves_is_told(settings: Settings) -> None:
    [found] = backends.check_mailbox(settings, "x@elsewhere.example")
    assert found.verdict is Verdict.WRONG
