"""Asks from outside what is up, in the way that its users do. Each question is answered soon."""

from __future__ import annotations

import socket
import ssl
from datetime import datetime
from pathlib import Path

import httpx
from celery import Celery
from redis import Redis, RedisError

from ops.run import RunError
from workers.celery.bell import BrokerUnavailable, connected
from workers.store import Store, StoreUnavailable

ASK = 1.0
"""Seconds that one question may take."""
ASK_HTTP = 3.0
"""The same over HTTP: /readyz needs two seconds to find out what hangs."""


def store_objects(store: Store) -> str:
    """Why it cannot be asked; empty if it answers. Raises RunError if it would not keep what it is given."""
    try:
        problem = store.health().problem
    except StoreUnavailable as error:
        return str(error)
    if problem:
        raise RunError(problem)
    return ""


def server_objects(url: str) -> str:
    """What is wrong with a Redis server; empty if it answers."""
    try:
        with Redis.from_url(url, socket_timeout=ASK, socket_connect_timeout=ASK) as redis:
            redis.ping()
            return ""
    except RedisError as error:
        return str(error) or type(error).__name__


def swept_at(store: Store) -> datetime | None:
    """When beat last swept the store; None if it never did, or the store does not answer."""
    try:
        return store.swept_at()
    except StoreUnavailable:
        return None


def http_answers(url: str) -> bool:
    """Whether the answer is a 200."""
    try:
        return httpx.get(url, timeout=ASK_HTTP, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def web_objects(url: str) -> str:
    """Why the web process is up but not ready, in its own words; empty if it does not say."""
    try:
        answer = httpx.get(f"{url}/readyz", timeout=ASK_HTTP, trust_env=False)
        return f"it is up and not ready: {answer.json()['detail']}"
    except (httpx.HTTPError, ValueError, LookupError, TypeError):
        return ""


def https_answers(url: str, ca_file: Path) -> bool:
    """Whether anything but a 5xx is answered over a connection that ``ca_file`` vouches for."""
    if not ca_file.exists():
        return False
    try:
        trust = ssl.create_default_context(cafile=ca_file)
        return httpx.get(url, verify=trust, timeout=ASK_HTTP, trust_env=False).status_code < 500
    except (httpx.HTTPError, OSError):
        return False


def worker_answers(broker_url: str, name: str) -> bool:
    """Whether this machine's worker of that name answers Celery's ping over the broker."""
    with Celery(broker=broker_url, set_as_current=False) as app:
        try:
            with connected(app) as connection:
                me = f"{name}@{socket.gethostname()}"
                return bool(app.control.ping(destination=[me], timeout=ASK, connection=connection))
        except BrokerUnavailable:
            return False
