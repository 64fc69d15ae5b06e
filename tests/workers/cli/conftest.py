"""The command line against a real Rendezvous: the web process's own application, on a port, over a real store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner, Result
from structlog.testing import capture_logs
from werkzeug.serving import make_server

from tests.served import served
from tests.webhooks.given import KEY
from tests.workers.given import an_attempt, claimed
from webhooks import create_app
from webhooks.door import Door
from workers.callbacks.callback import for_update
from workers.cli import cli
from workers.job import ErrorClass, failure
from workers.job import Result as Applied
from workers.outcome import Dead, Succeeded
from workers.settings import Settings
from workers.store import Store

UPDATE = {"target": {"mailbox": "anna@contoso.com", "event": "AAMkAGI1AAAt9AHjAAA="}, "set": {"subject": "Moved"}}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A first client whose API key the tests know."""
    hr, *others = settings.client
    known = hr.model_copy(update={"api_key_sha256": (hashlib.sha256(KEY.encode()).hexdigest(),)})
    return settings.model_copy(update={"client": (known, *others)})


@pytest.fixture
def web(settings: Settings) -> Iterator[str]:
    """The address of a running web process."""
    app = create_app(settings)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    with served(server), capture_logs():  # they would end up in the standard output of the command
        yield f"http://127.0.0.1:{server.server_port}"
    cast(Door, app.extensions["rendezvous"]).store.close()


Run = Callable[..., Result]


def run(*arguments: str, text: str | None = None, **environ: str | None) -> Result:
    """``rendezvous`` with these arguments, standard input and environment."""
    return CliRunner().invoke(cli, arguments, input=text, env=environ, prog_name="rendezvous")


@pytest.fixture
def hr(web: str) -> Run:
    """``rendezvous`` as the client hr."""

    def as_hr(*arguments: str, text: str | None = None) -> Result:
        return run(*arguments, text=text, RENDEZVOUS_URL=web, RENDEZVOUS_API_KEY=KEY)

    return as_hr


@dataclass
class Life:
    """Makes updates and has them end, as the worker would."""

    hr: Run
    store: Store

    def asked(self, key: str = "", **more: Any) -> str:
        """The id of a new update."""
        chosen = ("--idempotency-key", key) if key else ()
        result = self.hr("--json", "updates", "send", "-", *chosen, text=json.dumps({**UPDATE, **more}))
        assert result.exit_code == 0, result.output
        return str(json.loads(result.stdout)["id"])

    def succeeded(self, **more: Any) -> str:
        update_id = self.asked(**more)
        changed = {"subject": {"before": "Team [bold]building[/bold]", "after": "Moved \x1b[31mhere"}}
        end = Succeeded(Applied("v2", noop=False, changed=changed, invitations="sendToNone", verified=True))
        self.store.settle(claimed(self.store, update_id), an_attempt(), end)
        return update_id

    def died(self, error_class: ErrorClass = "notFound", code: str = "ErrorItemNotFound", **more: Any) -> str:
        update_id = self.asked(**more)
        end = Dead(failure(error_class, code, "The event was not found."))
        job = self.store.update(update_id)
        assert job is not None
        self.store.settle(claimed(self.store, update_id), an_attempt(1, error_class), end, for_update(job))
        return update_id


@pytest.fixture
def life(hr: Run, store: Store) -> Life:
    return Life(hr, store)


@pytest.fixture
def file(tmp_path: Path) -> Callable[[Any], str]:
    """Writes a body to a file and gives its name."""

    def written(body: Any) -> str:
        path = tmp_path / "update.json"
        path.write_text(body if isinstance(body, str) else json.dumps(body))
        return str(path)

    return written


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration with one backend that nobody answers at, and two clients, of which one maps."""
    path = tmp_path / "rendezvous.toml"
    path.write_text(CONFIG)
    return path


CONFIG = """\
[[backend]]
name = "hq"
kind = "ews"
url = "http://127.0.0.1:9/EWS/Exchange.asmx"
auth = "basic"
username_env = "HQ_USER"
password_env = "HQ_PASSWORD"
mailboxes = ["*@hq.example"]

[[client]]
name = "hr"
webhook_secrets_env = ["HR_SECRET"]
mailboxes = ["*@hq.example"]
callback_networks = ["127.0.0.1/32"]

[[client]]
name = "tickets"
mailboxes = ["*@hq.example"]

[client.mapping]
target = { mailbox = "requester.email", event = "fields.exchange_id" }
set = { subject = "join(' ', ['Moved:', title])", location = { displayName = "room" } }
"""
