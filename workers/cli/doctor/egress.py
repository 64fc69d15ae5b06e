"""Do names of the public internet resolve here? Callbacks may need it, but not in every installation."""

from __future__ import annotations

from collections.abc import Iterable

from workers.callbacks.public_net import Blocked, judged
from workers.cli.doctor.finding import Finding

NAME = "graph.microsoft.com"


def check() -> Iterable[Finding]:
    """Resolve a well-known name, without connecting to it."""
    remedy = "Callbacks to the public internet will fail; to callback_networks of your own they may work."
    try:
        addresses = judged(NAME, 443, (), public_too=True)
    except OSError as error:
        return (Finding.doubtful("callback egress", f"{NAME} does not resolve ({error})", remedy),)
    except Blocked as error:
        return (Finding.doubtful("callback egress", str(error), remedy),)
    return (Finding.good("callback egress", f"{NAME} resolves to {len(addresses)} public address(es)"),)
