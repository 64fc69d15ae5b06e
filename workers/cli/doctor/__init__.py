"""``rendezvous doctor``: is it well, and if not, what to do about it. Reads the configuration as the processes do.

    finding    what a check found, as a value          backends   can be reached and signed in to, one calendar read
    store      reachable, durable, quick, swept        processes  web, worker, callbacks
    broker     answers                                 egress     names of the internet resolve
    clock      two clocks agree

In each file functions with I/O look, and pure ones judge. Nothing is changed, except that one key is written to the
store for a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeAlias

import click

from workers.cli.choices import Choices, Command
from workers.cli.doctor.finding import MARKS, Finding, Verdict
from workers.cli.printable import printable

if TYPE_CHECKING:
    from workers.settings import Settings

Check: TypeAlias = Callable[[], Iterable[Finding]]
_COLORS = {Verdict.GOOD: "green", Verdict.DOUBTFUL: "yellow", Verdict.WRONG: "red"}
_TO_BE_TOLD = (Verdict.WRONG, Verdict.DOUBTFUL)


@click.command(cls=Command)
@click.option("--mailbox", metavar="ADDRESS", help="Read this mailbox's calendar, too.")
@click.option("--backend", metavar="NAME", help="With --mailbox: on this backend, even if another one serves it.")
@click.pass_obj
def doctor(choices: Choices, mailbox: str | None, backend: str | None) -> None:
    """Test what Rendezvous needs, and say what to do.

    Uses RENDEZVOUS_CONFIG, RENDEZVOUS_STORE_URL and RENDEZVOUS_BROKER_URL as the processes do. Exit code 1 if
    something is wrong.
    """
    if "" in (mailbox, backend):
        raise click.UsageError("--mailbox or --backend is empty: is the variable that it was taken from set?")
    if backend and not mailbox:
        raise click.UsageError("--backend goes with --mailbox.")
    findings = []
    for finding in examine(choices.address(), mailbox, backend):
        findings.append(finding)
        if not choices.as_json:
            _print(finding, plain=choices.no_color)
    wrong = sum(finding.verdict is Verdict.WRONG for finding in findings)
    if choices.as_json:
        from workers.cli.terminal import print_json

        print_json({"ok": wrong == 0, "findings": [finding.to_json() for finding in findings]})
    else:
        click.echo(summary(findings))
    if wrong:
        raise SystemExit(1)


def examine(url: str, mailbox: str | None, backend: str | None) -> Iterator[Finding]:
    """The findings of all checks, in a fixed order. The checks run at the same time. ``url``: of the web process.
    ``backend``: where to look for the mailbox; None for the one that serves it."""
    from workers.configuration import ConfigurationError, load

    try:
        settings = load()
    except ConfigurationError as error:
        yield Finding.wrong("configuration", str(error), "Correct it: no process starts with it.")
        return
    named = f"{len(settings.backend)} backend(s), {len(settings.client)} client(s)"
    yield Finding.good("configuration", named)
    wanted = checks(settings, url, mailbox, backend)
    with ThreadPoolExecutor(max_workers=len(wanted)) as pool:
        for findings in pool.map(lambda check: tuple(check()), wanted):
            yield from findings


def checks(settings: Settings, url: str, mailbox: str | None, chosen: str | None) -> tuple[Check, ...]:
    """The checks to run."""
    from workers.cli.doctor import backends, broker, egress, processes, store

    return (
        lambda: store.check(settings),
        lambda: broker.check(settings),
        lambda: processes.check_web(url),
        lambda: processes.check_workers(settings),
        *((lambda backend=backend: backends.check(backend)) for backend in settings.backend),
        *([lambda: backends.check_mailbox(settings, mailbox, chosen)] if mailbox else []),
        egress.check,
    )


def summary(findings: Sequence[Finding]) -> str:
    """The last line."""
    wrong, doubtful = (sum(finding.verdict is verdict for finding in findings) for verdict in _TO_BE_TOLD)
    if wrong:
        return f"{wrong} of {len(findings)} checks failed."
    return f"It works; {doubtful} of {len(findings)} to look at." if doubtful else "Everything is well."


def _print(finding: Finding, *, plain: bool) -> None:
    mark = click.style(MARKS[finding.verdict], fg=None if plain else _COLORS[finding.verdict])
    click.echo(f"{mark} {finding.name:<26} {printable(finding.said)}")
    if finding.remedy:
        click.echo(f"  {'':<26} → {printable(finding.remedy)}")
