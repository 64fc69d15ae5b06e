"""Starts the whole of Rendezvous on one machine: ``python -m ops.run``, which is what ``make run`` does.

    __main__        the command
    story           what is started, in which order; then the seed updates
    layout          what there is to start: commands, environment, addresses
    doors           the ports, and the message if one is taken
    procfile        the product's own processes and their command lines
    configuration   rendezvous.toml and the secrets for the sandbox
    process         one process: its leash, its log, its end
    leash           what lets it die with the launcher
    supervisor      starts again what dies, stops everything
    readiness       asks from outside what is up

It is for trying things out and for development. In production an init system or an orchestrator runs the processes
(docker-compose.yml is for one), and needs nothing of this.
"""


class RunError(Exception):
    """Why ``make run`` cannot go on, as one sentence; lines of a log may follow."""
