"""``rendezvous trigger URL``: send one signed sample callback, exactly as the callback processes send theirs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from workers.cli import configured
from workers.cli.choices import Choices, Command
from workers.cli.failure import Failed
from workers.cli.listen import secrets_option

if TYPE_CHECKING:
    from workers.callbacks.public_net import Network
    from workers.job import UpdateJob
    from workers.outcome import Outcome
    from workers.settings import Client, Settings

STATES = ("succeeded", "dead", "cancelled")
LOOPBACK = ("127.0.0.0/8", "::1/128")


def _networks(_: click.Context, __: click.Parameter, values: Sequence[str]) -> Sequence[Network]:
    try:
        return [ip_network(value) for value in values]
    except ValueError as error:
        raise click.BadParameter(f"{error}; write it as 10.1.0.0/16.") from None


@click.command(cls=Command)
@click.argument("address", metavar="URL")
@click.option("--state", type=click.Choice(STATES), default="succeeded", show_default=True, help="How it ended.")
@click.option("--client", "name", metavar="NAME", help="As this client of the configuration: its secrets and networks.")
@secrets_option("Sign with this secret; repeat it for more than one.")
@click.option(
    "--network", "networks", multiple=True, metavar="CIDR", callback=_networks, help="Also dial addresses in CIDR."
)
@click.pass_obj
def trigger(
    choices: Choices,
    address: str,
    state: str,
    name: str | None,
    secrets: Sequence[str],
    networks: Sequence[Network],
) -> None:
    """Send a signed sample callback to URL.

    Without --client, only public addresses and this machine's own are dialled, and those of --network. Exit code 1
    unless the answer is a 2xx.
    """
    from workers.callbacks.public_net import refusal
    from workers.identifiers import new_id
    from workers.outcome import Succeeded

    # A secret of the environment, which `.run/environment` sets, is overruled by --client, as by --secret.
    secrets_given = click.get_current_context().get_parameter_source("secrets") is ParameterSource.COMMANDLINE
    if name is not None and (secrets_given or networks):
        raise click.UsageError("--client brings its own secrets and networks: leave out --secret and --network.")
    settings = configured.settings() if name is not None else None
    client = configured.client(settings, name) if settings and name else _made_up(secrets, networks)
    if said := refusal(address, client.callback_networks):
        raise Failed(f"{address} can never be a callbackUrl: {said}.")
    began, message = time.monotonic(), new_id("msg")
    outcome = _deliver(settings, client, message, address, state)
    _tell(choices, message, outcome, time.monotonic() - began)
    if name is None and not secrets and not choices.as_json:
        click.echo("It was signed with a made-up secret: give --secret or --client.")
    if not isinstance(outcome, Succeeded):
        raise SystemExit(1)


def sample(client: str, url: str, state: str, now: datetime) -> UpdateJob:
    """A made-up update of this client that has ended in this state."""
    from workers.identifiers import new_id
    from workers.job import Attempt, Result, State, UpdateJob, failure
    from workers.update import Intent, Target, Update, rfc3339

    at = rfc3339(now)
    update = Update(
        id=new_id("upd"), client=client, created_at=now, deadline=now, callback_url=url,
        target=Target(backend="sample", event="AAMkSample=", mailbox="anna@contoso.com"),
        intent=Intent(set={"subject": "A sample"}), metadata={"sample": True},
    )  # fmt: skip
    result = Result("sample", noop=False, changed={"subject": {"before": "An example", "after": "A sample"}},
                    invitations="sendToNone", verified=True)  # fmt: skip
    error = failure("refused", "ErrorSample", "This is a sample: nothing happened.")
    return UpdateJob(
        update,
        State(state),
        () if state == "cancelled" else (Attempt(1, at, at, "succeeded" if state == "succeeded" else "refused"),),
        result=result.to_json() if state == "succeeded" else None,
        error=error.to_json() if state == "dead" else None,
        finished_at=at,
    )


def _deliver(settings: Settings | None, client: Client, message: str, url: str, state: str) -> Outcome:
    from workers.callbacks.callback import Deliverer, for_update
    from workers.tls import trust

    composed = for_update(sample(client.name, url, state, datetime.now(UTC)))
    assert composed is not None  # noqa: S101 - the sample names a callbackUrl
    authorities = [backend.ca_file for backend in settings.backend] if settings else []
    try:
        deliverer = Deliverer({client.name: client}, trust(), trust(*authorities))
    except OSError as error:
        raise Failed(f"{error}. Correct it, or unset it.") from None
    return deliverer.deliver(message, composed.body, attempts=0, dice=0)


def _tell(choices: Choices, message: str, outcome: Outcome, seconds: float) -> None:
    from workers.cli.terminal import print_json
    from workers.outcome import Dead, Retry, Succeeded

    match outcome:
        case Succeeded(detail=detail):
            verdict, then = detail or "", "That counts as delivered."
        case Retry(detail=detail, after=after):
            verdict, then = detail, f"A real callback would be sent again in {after.total_seconds():.0f} s."
        case Dead(failure=failure):
            verdict, then = failure.detail, "A real callback would be a dead letter now."
    if choices.as_json:
        print_json({"id": message, "delivered": isinstance(outcome, Succeeded), "detail": verdict, "seconds": seconds})
    else:
        click.echo(f"{message}: {verdict.removesuffix('.')} after {seconds:.2f} s. {then}")


def _made_up(secrets: Sequence[str], networks: Sequence[Network]) -> Client:
    from workers.cli.keys import make
    from workers.settings import Client

    signing = list(secrets) or [make("sample").webhook_secret]
    return Client.model_validate(
        {"name": "sample", "webhook_secrets": signing, "callback_networks": [*LOOPBACK, *map(str, networks)]}
    )
