"""One update followed to its end: what Rendezvous says of it, and what the sandbox saw of it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from ops.demo.client import Api, Json, is_genuine
from ops.demo.seed_updates import SeedUpdate
from ops.sandbox.control import Post, Sandbox, Seen
from ops.sandbox.journal import Invitation


@dataclass(frozen=True, slots=True)
class Account:
    """What came of one update. ``update``: as Rendezvous shows it at the end; the rest: as the sandbox saw it."""

    seed: SeedUpdate
    update: Json
    before: Seen
    after: Seen
    mails: tuple[Invitation, ...]
    callback: Post | None
    genuine: bool

    @property
    def succeeded(self) -> bool:
        """The update succeeded, and the callback that says so arrived with a good signature."""
        return self.update["state"] == "succeeded" and self.genuine


def account(seed: SeedUpdate, api: Api, sandbox: Sandbox, secret: str, pause: Callable[[float], None]) -> Account:
    """Send the update and follow it. Raises DemoError if it is not even accepted."""
    mark = secrets.token_hex(8)
    before, mailed = sandbox.event(seed.event), len(sandbox.invitations(seed.event))
    accepted = api.send({**seed.body, "callbackUrl": f"{sandbox.url}/callbacks/{mark}"}, pause)
    update = api.follow(accepted["id"], pause)
    callback = next((post for post in sandbox.callbacks() if post.path.endswith(mark)), None)
    return Account(
        seed=seed,
        update=update,
        before=before,
        after=sandbox.event(seed.event),
        mails=tuple(sandbox.invitations(seed.event)[mailed:]),
        callback=callback,
        genuine=callback is not None and is_genuine(callback.headers, callback.body, secret),
    )
