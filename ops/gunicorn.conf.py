"""How gunicorn serves the web process. ``GUNICORN_CMD_ARGS`` overrules it: ``--bind 0.0.0.0:8000`` in a container.

https://gunicorn.org/reference/settings/
"""
# ruff: noqa: N999 - the name is gunicorn's

import os
import shutil
import sys
import tempfile
from pathlib import Path

import gunicorn

from workers.configuration import load_or_exit

# A configuration that cannot be used is one line and exit code 2 here, before the port is opened.
load_or_exit()


def port():
    asked = os.environ.get("PORT") or "8000"
    if not (asked.isascii() and asked.isdecimal() and 0 < int(asked) < 65536):
        sys.stderr.write(f"rendezvous: PORT: {asked!r} is not a number from 1 to 65535\n")
        sys.exit(2)
    return asked


bind = f"127.0.0.1:{port()}"
workers = 2
worker_class = "gthread"
threads = 16

# A request is one or two round trips to the store. What has not ended after 8 s is hung, and a stop must take 10 s.
timeout = 30
graceful_timeout = 8
keepalive = 5

limit_request_line = 8190  # a list's filters and cursor, percent-encoded
limit_request_fields = 64
limit_request_field_size = 8190

# The heartbeat file of a worker must not wait for a disk.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112, S108 - gunicorn makes its own file there

# Both workers answer /metrics, and each has to tell of both: prometheus-client counts in files that they share
# (https://prometheus.github.io/client_python/multiprocess/). One folder for each master, named after it: not taken over
# from the one that it replaces, and swept away by a later one where it was killed.
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
    """Remove the folders of masters that are no more."""
    for folder in place.glob(f"{METRICS}*-*"):
        pid = folder.name.removeprefix(METRICS).partition("-")[0]
        if pid.isdigit() and not is_running(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


_named = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
if not _named or Path(_named).name.startswith(METRICS):
    _place = worker_tmp_dir or tempfile.gettempdir()
    sweep_up(Path(_place))
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix=f"{METRICS}{os.getpid()}-", dir=_place)


def pre_request(worker, req):
    """Two idempotency keys are none. gunicorn joins headers of one name with a comma, and a key may hold a comma."""
    others = [(name, value) for name, value in req.headers if name != "IDEMPOTENCY-KEY"]
    if len(req.headers) - len(others) > 1:
        req.headers = [*others, ("IDEMPOTENCY-KEY", "")]


def child_exit(server, worker):
    """A worker is gone: what it counted stays, what it only measured does not."""
    from prometheus_client import multiprocess  # not before the folder is named

    multiprocess.mark_process_dead(worker.pid)


def on_exit(server):
    """The master is gone."""
    folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    if folder.name.startswith(METRICS):
        shutil.rmtree(folder, ignore_errors=True)


# The application writes its own log, and nobody steers gunicorn through a socket in somebody's home directory.
accesslog = None
errorlog = "-"
loglevel = "warning"
control_socket_disable = True

gunicorn.SERVER = "rendezvous"
gunicorn.SERVER_SOFTWARE = "rendezvous"
