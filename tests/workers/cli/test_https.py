"""The command line and ``doctor`` reach the same Rendezvous in the same way: over https, and through a proxy."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from structlog.testing import capture_logs
from werkzeug.serving import make_server

from ops.sandbox.process import free_port
from tests.served import served
from tests.webhooks.given import KEY
from tests.workers.authority import certificate
from tests.workers.cli.conftest import run
from tests.workers.cli.test_failures import answering
from webhooks import create_app
from webhooks.door import Door
from workers.cli.doctor import processes
from workers.cli.doctor.finding import Verdict
from workers.settings import Settings


@pytest.fixture
def authority(tmp_path: Path) -> str:
    """A certificate that nobody trusts by himself."""
    certificate(tmp_path / "authority.pem", ec.generate_private_key(ec.SECP256R1()))
    return str(tmp_path / "authority.pem")


@pytest.fixture
def secure(settings: Settings, authority: str) -> Iterator[str]:
    """The address of a web process over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    app = create_app(settings)
    server = make_server("127.0.0.1", 0, app, threaded=True, ssl_context=context)
    with served(server), capture_logs():
        yield f"https://127.0.0.1:{server.server_port}"
    cast(Door, app.extensions["rendezvous"]).store.close()


def test_an_authority_of_ones_own_is_trusted_on_this_machine_too(secure: str, authority: str) -> None:
    asked = ("updates", "list", "--url", secure, "--key", KEY)
    stranger = run(*asked)
    assert (stranger.exit_code, "SSL_CERT_FILE names the certificate" in stranger.stderr) == (1, True)
    assert run(*asked, SSL_CERT_FILE=authority).stdout == "No updates.\n"


def test_the_doctor_trusts_whom_the_other_commands_trust(
    secure: str, authority: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    [stranger] = processes.check_web(secure)
    assert (stranger.verdict, "SSL_CERT_FILE" in stranger.remedy) == (Verdict.WRONG, True)
    monkeypatch.setenv("SSL_CERT_FILE", authority)
    [known] = processes.check_web(secure)
    assert known.said == f"{secure} is ready"


def test_the_doctor_asks_a_web_process_elsewhere_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(200, b"{}", "application/json") as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        [elsewhere] = processes.check_web("http://rendezvous.invalid")
        [here] = processes.check_web(f"http://127.0.0.1:{free_port()}")
    assert elsewhere.said == "http://rendezvous.invalid is ready"
    assert (here.verdict, "Start `web`" in here.remedy) == (Verdict.WRONG, True)


def test_a_file_of_authorities_that_is_not_there_is_named(config: Path) -> None:
    nowhere = {"SSL_CERT_FILE": "/nowhere.pem", "RENDEZVOUS_CONFIG": str(config), "HQ_USER": "u", "HQ_PASSWORD": "p",
               "HR_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "NO_COLOR": "1",
               "RENDEZVOUS_STORE_URL": f"redis://127.0.0.1:{free_port()}/0"}  # fmt: skip
    for command in (("updates", "list", "--key", "k"), ("trigger", "http://127.0.0.1:9/")):
        result = run(*command, **nowhere)
        assert (result.exit_code, "SSL_CERT_FILE = /nowhere.pem" in result.stderr) == (1, True), result.output
    doctor = run("doctor", **nowhere)
    for name in ("web", "backend hq"):
        assert f"✗ {name} " in doctor.stdout, doctor.output
    assert doctor.stdout.count("SSL_CERT_FILE = /nowhere.pem holds no certificate") == 2
