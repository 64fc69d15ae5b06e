"""What every view needs: settings, store, bell, rates, clock. Made once per process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import current_app

from webhooks.rates import Rates
from workers.celery.bell import Bell
from workers.clock import now
from workers.settings import Settings
from workers.store import Store

_PLACE = "rendezvous"


@dataclass(frozen=True, slots=True)
class Door:
    settings: Settings
    store: Store
    bell: Bell
    rates: Rates
    clock: Callable[[], datetime] = now


def door() -> Door:
    """The door of the app that answers the current request. For views; nothing deeper asks for it."""
    return cast(Door, current_app.extensions[_PLACE])


def hang(door: Door, extensions: dict[str, object]) -> None:
    """Put the door into its app."""
    extensions[_PLACE] = door
