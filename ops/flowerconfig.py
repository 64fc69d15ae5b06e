"""What Flower shows and allows: it shows what a job is, where it stands and why; nothing can be changed.

https://flower.readthedocs.io/en/latest/config.html. Flower reads this file after its environment variables, so the file
itself reads those that may overrule it: FLOWER_READ_ONLY, FLOWER_TASKS_COLUMNS. FLOWER_BASIC_AUTH=name:password, or
FLOWER_AUTH with FLOWER_AUTH_PROVIDER and FLOWER_OAUTH2_KEY, _SECRET and _REDIRECT_URI, make it ask for a sign-in;
without one Flower listens on this machine only (the Procfile's --address) and its HTTP API is closed.
"""

import os
from typing import Any

from flower.views import BaseHandler

from workers.celery.ringer import QUEUES

_NO = ("0", "false", "no", "off")

read_only = os.environ.get("FLOWER_READ_ONLY", "true").lower() not in _NO
tasks_columns = os.environ.get("FLOWER_TASKS_COLUMNS", "name,args,state,result,uuid,received,runtime,worker")

_NAMES = sorted(set(QUEUES.values()))
# Flower would show only the queues that running workers name; but the length of one that nobody serves matters most.
BaseHandler.get_active_queue_names = lambda _: _NAMES


def format_task(task: Any) -> Any:
    """One row: the job's id and label, its state, and in the column of the result the reason for it. It shows no stack
    trace, which would be about our code and not about the update, and only the last attempt's reason."""
    task.args = (task.args or "").strip("()").removeprefix(f"{task.uuid}, ")
    task.kwargs = task.traceback = None
    task.result = _plain(task.result if task.state == "SUCCESS" else task.exception)
    task.exception = None
    return task


def _plain(said: str | None) -> str | None:
    """The text in ``DeadLetter('refused: …')`` or ``'changed subject'``, without what Python puts around it."""
    if not said:
        return said
    inner = said.removeprefix("DeadLetter(").removesuffix(")") if said.startswith("DeadLetter(") else said
    inner = inner.removesuffix(",")
    quoted = len(inner) > 1 and inner[0] == inner[-1] and inner[0] in "'\""
    return inner[1:-1] if quoted else inner
