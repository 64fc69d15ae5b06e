"""``rendezvous listen``: catch callbacks on this machine, verify their signatures, print them.

For development and for trying things out: one process, on 127.0.0.1 only, that keeps nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

import click

from workers.cli.choices import Choices, Command
from workers.cli.failure import Failed
from workers.cli.printable import printable

LARGEST_BODY = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Caught:
    """A callback as it arrived; header names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    def genuine(self, secrets: Sequence[str], now: float) -> bool:
        """Whether one of the secrets signed it, at a time near ``now``."""
        from workers.callbacks.signature import verify

        return verify(
            secrets,
            self.headers.get("webhook-id", ""),
            self.headers.get("webhook-timestamp", ""),
            self.body,
            self.headers.get("webhook-signature", ""),
            now=now,
        )


def _secret(_: click.Context, __: click.Parameter, values: Sequence[str]) -> Sequence[str]:
    from workers.settings.checks import check_webhook_secret

    try:
        for value in values:
            check_webhook_secret(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}; `rendezvous keys new` makes one.") from None
    return values


def secrets_option(what_for: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """``--secret``, which may be given more than once."""
    return click.option(
        "--secret", "secrets", multiple=True, callback=_secret, metavar="WHSEC", envvar="RENDEZVOUS_WEBHOOK_SECRET",
        show_envvar=True, help=what_for,
    )  # fmt: skip


@click.command(cls=Command)
@click.option("--port", type=click.IntRange(0, 65535), default=8088, show_default=True, help="0: any that is free.")
@secrets_option("Verify with this secret; repeat it for more than one.")
@click.option("--status", type=click.IntRange(200, 599), default=200, show_default=True, help="What to answer.")
@click.option("--count", type=click.IntRange(1), help="Stop after so many callbacks; exit code 1 on a bad signature.")
@click.pass_obj
def listen(choices: Choices, port: int, secrets: Sequence[str], status: int, count: int | None) -> None:
    """Catch, verify and print callbacks.

    Listens on 127.0.0.1 only, until Ctrl-C.

    Rendezvous dials 127.0.0.1 for a client whose callback_networks hold 127.0.0.1/32.
    """
    verdicts: list[bool] = []
    lock = Lock()

    def catch(caught: Caught) -> None:
        genuine = caught.genuine(secrets, time.time()) if secrets else None
        with lock:
            verdicts.append(genuine is not False)  # it is answered already: it counts whatever becomes of printing it
            click.echo(json.dumps(as_json(caught, genuine)) if choices.as_json else told(caught, genuine))

    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), _handler(catch, status))
    except OSError as error:
        raise Failed(f"Port {port} cannot be listened on ({error.strerror}): choose another with --port.") from None
    with server:
        click.echo(f"Listening on http://127.0.0.1:{server.server_port}/", err=True)
        _serve(server, lambda: count is not None and len(verdicts) >= count)
    if not all(verdicts):
        raise SystemExit(1)


def told(caught: Caught, genuine: bool | None) -> str:
    """A callback for a person."""
    verdict = {True: "signature good", False: "SIGNATURE NOT GOOD", None: "signature not verified: give --secret"}
    headers = caught.headers
    head = f"{caught.path}  {headers.get('webhook-id', 'without webhook-id')}  {verdict[genuine]}"
    return printable(f"{head}\n{_indented(caught.body)}")


def as_json(caught: Caught, genuine: bool | None) -> dict[str, object]:
    """A callback for a program, on one line."""
    return {
        "path": caught.path,
        "headers": dict(caught.headers),
        "body": caught.body.decode("utf-8", "replace"),
        "genuine": genuine,
    }


def _indented(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")


def _serve(server: ThreadingHTTPServer, enough: Callable[[], bool]) -> None:
    server.timeout = 0.1
    server.daemon_threads = False
    try:
        while not enough():
            server.handle_request()
    except KeyboardInterrupt:
        click.echo(err=True)


def _handler(catch: Callable[[Caught], None], status: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not (length.isascii() and length.isdigit()) or int(length) > LARGEST_BODY:
                self.send_error(411 if not length else 413)
                return
            body = self.rfile.read(int(length))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            catch(Caught(self.path, {name.lower(): value for name, value in self.headers.items()}, body))

        def log_message(self, format: str, *args: object) -> None:
            """Print no line for each connection: the callbacks themselves are printed."""

    return Handler
