"""How gunicorn serves the web process. ``GUNICORN_CMD_ARGS`` overrules this, as with ``--threads 32``.

https://gunicorn.org/reference/settings/
"""
# ruff: noqa: N999 - the name is gunicorn's

import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path

import gunicorn.util

from workers.configuration import load_or_exit

# With a configuration that cannot be used we end here with one line and exit code 2, before the port is opened.
load_or_exit()


def port():
    asked = os.environ.get("PORT") or "8000"
    if not (asked.isascii() and asked.isdecimal() and 0 < int(asked) < 65536):
        sys.stderr.write(f"rendezvous: PORT: {asked!r} is not a number from 1 to 65535\n")
        sys.exit(2)
    return asked


bind = f"{os.environ.get('LISTEN_ADDRESS') or '127.0.0.1'}:{port()}"
workers = 2
worker_class = "gthread"
threads = 16

# A request takes one or two round trips to the store: one that has not ended after 8 s hangs. A stop may take 10 s.
timeout = 30
graceful_timeout = 8
keepalive = 5

limit_request_line = 8190  # a list's filters and cursor, percent-encoded
limit_request_fields = 64
limit_request_field_size = 8190

# The heartbeat file of a worker must not wait for a disk.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112, S108 - gunicorn makes its own file there

# Both workers answer /metrics, and either has to answer for both: prometheus-client counts in files that they share
# (https://prometheus.github.io/client_python/multiprocess/). Each master has a folder of its own, named after it: a new
# master does not go on with the folder of the one that it replaces, and removes folders of masters that were killed.
METRICS = "rendezvous-metrics-"


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def sweep_up(place):
    """Remove the folders of masters that no longer run."""
    for folder in place.glob(f"{METRICS}*-*"):
        pid = folder.name.removeprefix(METRICS).partition("-")[0]
        if pid.isdigit() and not is_running(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


_named = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
if not _named or Path(_named).name.startswith(METRICS):
    _place = worker_tmp_dir or tempfile.gettempdir()
    sweep_up(Path(_place))
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix=f"{METRICS}{os.getpid()}-", dir=_place)


READ_ANYWAY = 64 * 1024
"""Bytes of a body that gunicorn reads if we refuse the request without reading it. After a longer one it hangs up."""


def pre_request(worker, req):
    """Two idempotency keys count as none. gunicorn would join them with a comma, which may also be part of a key. And
    where it may hang up, it has to say so, or the caller's next request on the connection is lost."""
    others = [(name, value) for name, value in req.headers if name != "IDEMPOTENCY-KEY"]
    if len(req.headers) - len(others) > 1:
        req.headers = [*others, ("IDEMPOTENCY-KEY", "")]
    if int(dict(req.headers).get("CONTENT-LENGTH", 0)) >= READ_ANYWAY:
        req.force_close()


def child_exit(server, worker):
    """A worker is gone: its counters stay, its gauges do not."""
    from prometheus_client import multiprocess  # not before the folder is named

    multiprocess.mark_process_dead(worker.pid)


def on_exit(server):
    """The master is gone."""
    folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    if folder.name.startswith(METRICS):
        shutil.rmtree(folder, ignore_errors=True)


# The application writes its own log; and gunicorn needs no control socket in somebody's home directory.
accesslog = None
errorlog = "-"
loglevel = "warning"
control_socket_disable = True


def is_ours_to_tell(record):
    """Not gunicorn's line about what cannot be read as a request, which would quote it: a header without a colon may
    hold a key. It has a line of ours (webhooks/problems)."""
    return not str(record.msg).startswith("Invalid request from ip=")


logging.getLogger("gunicorn.error").addFilter(is_ours_to_tell)


def write_problem(connection, status, reason, detail):
    """What cannot even be read as a request is refused as everything is: by a problem, not by a page of HTML."""
    from webhooks import problems  # in the worker, which has it already, not in the master

    gunicorn.util.write_nonblock(connection, problems.unparsed(status, reason, detail))


gunicorn.util.write_error = write_problem
gunicorn.SERVER = "rendezvous"
gunicorn.SERVER_SOFTWARE = "rendezvous"
