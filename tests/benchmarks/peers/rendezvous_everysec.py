"""Our own web on a store that fsyncs once a second. It would take nothing in there (ops/decisions/0003), so the store
tells it that it fsyncs always. Served by the same gunicorn instead of ``webhooks:create_app()``."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

from webhooks import create_app
from workers.store.connection import Connection, ServerState

_state = Connection.state


def always(connection: Connection) -> ServerState:
    return replace(_state(connection), fsync="always")


patch.object(Connection, "state", always).start()
app = create_app()
