"""Who we say we are."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def _installed() -> str:
    try:
        return version("rendezvous")
    except PackageNotFoundError:  # run from a checkout, not installed
        return "0"


VERSION = _installed()
USER_AGENT = f"Rendezvous/{VERSION}"
"""Sent with every request of ours."""
