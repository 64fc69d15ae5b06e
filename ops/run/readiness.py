"""Asks from outside what is up, in the way that its users do. Each question is answered soon."""

from __future__ import annotations

import socket
import ssl
from datetime import datetime
from pathlib import Path

import httpx
from celery import Celery
from redis import Redis, RedisError

from workers.celery.bell import BrokerUnavailable, connected
from workers.store import Store, StoreUnavailable

ASK = 1.0
"""Seconds that one question may take."""
TELL = 3.0
"""The same for /readyz if we want to hear what hangs: it needs two seconds to find out."""


def store_answers(url: str) -> bool:
    """Whether it answers a PING."""
    return not store_objects(url)


def store_objects(url: str) -> str:
    """What is wrong with it; empty if it answers."""
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
        return httpx.get(url, timeout=ASK, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def web_objects(url: str) -> str:
    """Why the web process is up but not ready, in its own words; empty if it does not say."""
    try:
        return f"it is up and not ready: {httpx.get(f'{url}/readyz', timeout=TELL, trust_env=False).json()['detail']}"
    except (httpx.HTTPError, ValueError, LookupError, TypeError):
        return ""


def https_answers(url: str, ca_file: Path) -> bool:
    """Whether anything but a 5xx is answered over a connection that ``ca_file`` vouches for."""
    if not ca_file.exists():
        return False
    try:
        trust = ssl.create_default_context(cafile=ca_file)
        return httpx.get(url, verify=trust, timeout=ASK, trust_env=False).status_code < 500
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
