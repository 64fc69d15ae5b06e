"""Starts the whole of Rendezvous on one machine: ``python -m ops.run``, which is what ``make run`` does.

    __main__        the command: what is started, in which order
    doors           the ports, and the sentence about a taken one
    procfile        the product's own processes and their command lines
    configuration   rendezvous.toml and the secrets for the sandbox
    process         one process: its leash, its log, its end
    supervisor      starts again what dies, stops everything
    readiness       what is up, asked from outside

It is for trying things and for development. In production the processes belong to an init system or an orchestrator
(docker-compose.yml is one); nothing here is needed there.
"""


class RunError(Exception):
    """Why it cannot go on, as one sentence; log lines may follow on lines of their own."""
