"""The ports on 127.0.0.1: which ones, and the message if one is taken."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations

from ops.run import RunError

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Door:
    """A port: its owner, the variable that sets it, and its number by default. A ``movable`` one goes to any free port
    if its own is taken, because nobody but the launcher needs to know it."""

    owner: str
    variable: str
    default: int
    movable: bool


WEB = Door("the web process", "PORT", 8000, movable=False)
FLOWER = Door("Flower", "FLOWER_PORT", 5555, movable=False)
STORE = Door("the embedded store", "STORE_PORT", 6390, movable=True)
BROKER = Door("the embedded broker", "BROKER_PORT", 6391, movable=True)
SANDBOX = Door("the sandbox Exchange", "SANDBOX_PORT", 8443, movable=True)


def port_of(door: Door, environ: Mapping[str, str], is_free: Callable[[int], bool], any_free: Callable[[], int]) -> int:
    """The door's port. Raises RunError with the sentence to show."""
    said = environ.get(door.variable, "")
    port = _number(door, said) if said else door.default
    try:
        if is_free(port):
            return port
    except PermissionError:
        raise RunError(
            f"port {port} on {HOST} may not be used without special rights: choose another with {door.variable},"
            f" as in {door.variable}={door.default} make run"
        ) from None
    if door.movable and not said:
        return any_free()
    raise RunError(
        f"port {port} on {HOST} is taken, and {door.owner} needs it: stop what uses it,"
        f" or choose another with {door.variable}, as in {door.variable}={port + 1} make run"
    )


def check_apart(ports: Mapping[Door, int]) -> None:
    """Raises RunError if two doors have the same port."""
    for one, other in combinations(ports, 2):
        if ports[one] == ports[other]:
            raise RunError(f"{one.variable} and {other.variable} are the same: {ports[one]}")


def _number(door: Door, said: str) -> int:
    if said.isascii() and said.isdigit() and 0 < int(said) < 65536:
        return int(said)
    raise RunError(f"{door.variable} must be a port from 1 to 65535, not {said!r}")


def is_free(port: int) -> bool:
    """Whether one can listen there now. Raises PermissionError where this user may not."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError:
            raise
        except OSError:
            return False
    return True
