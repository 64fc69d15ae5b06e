"""How gunicorn serves the web process. ``GUNICORN_CMD_ARGS`` overrules it: ``--bind 0.0.0.0:8000`` in a container.

https://gunicorn.org/reference/settings/
"""
# ruff: noqa: N999 - the name is gunicorn's

import os

import gunicorn

from workers.settings import load_or_exit

# A configuration that cannot be used is one line and exit code 2 here, before the port is opened.
load_or_exit()

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
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
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112, S108

# The application writes its own log, and nobody steers gunicorn through a socket in somebody's home directory.
accesslog = None
errorlog = "-"
loglevel = "warning"
control_socket_disable = True

gunicorn.SERVER = "rendezvous"
gunicorn.SERVER_SOFTWARE = "rendezvous"
