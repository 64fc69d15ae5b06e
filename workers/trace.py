"""W3C trace context (https://www.w3.org/TR/trace-context/): which trace a piece of work belongs to.

A caller's ``traceparent`` is kept with its update and goes on to Exchange and with the callback; for that nothing has
to be installed. With the extra ``otel`` and ``OTEL_EXPORTER_OTLP_ENDPOINT`` there are spans of our own, and what goes
on names the newest of them:

    accept ── attempt ── read, write
           └─ callback

Without them OpenTelemetry is not even imported. Not here: ``tracestate``, which may be left out, and metrics.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

import structlog

from workers.exchange import Event, Exchange, Patch, Written
from workers.update import Target

if TYPE_CHECKING:
    from opentelemetry.trace import SpanKind, Tracer

Name = Literal["accept", "attempt", "read", "write", "callback"]
Note = Callable[[str, str], None]
"""Writes an attribute on the span: its name and its value. Never a mailbox, an address or what an event says."""

_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_KNOWN_FLAGS = 0b11
_EXPORT_SECONDS = 3.0
"""How long a collector may take; a process that stops must not wait longer for it."""

_now: ContextVar[str | None] = ContextVar("traceparent", default=None)
_log = structlog.get_logger(__name__)


def received(header: str | None) -> str | None:
    """The ``traceparent`` that somebody sent, as version 00 has it; None where it is not one, as if none were sent."""
    found = _TRACEPARENT.fullmatch(header or "")
    if found is None or (found[1] == "00" and found[5]):
        return None
    return f"00-{found[2]}-{found[3]}-{int(found[4], 16) & _KNOWN_FLAGS:02x}"


def current() -> str | None:
    """The ``traceparent`` of what is being done right now; None: it belongs to no trace."""
    return _now.get()


def headers() -> dict[str, str]:
    """The headers that make a request part of what is being done right now."""
    parent = _now.get()
    return {"traceparent": parent} if parent else {}


@contextmanager
def span(name: Name, parent: str | None = None, **attributes: str) -> Iterator[Note]:
    """A piece of work: a span where spans are wanted, else only its place in the caller's trace. ``parent``: a
    ``traceparent``; None: whatever it is done within."""
    parent, tracer = parent or _now.get(), _tracer()
    with _placed(parent) if tracer is None else _recorded(tracer, name, parent, attributes) as note:
        yield note


def traced(exchange: Exchange) -> Exchange:
    """The same backend; where spans are wanted, each read and write is one."""
    return exchange if _tracer() is None else _Traced(exchange)


@contextmanager
def _placed(parent: str | None) -> Iterator[Note]:
    before = _now.set(parent)
    try:
        yield lambda name, value: None
    finally:
        _now.reset(before)


@contextmanager
def _recorded(tracer: Tracer, name: Name, parent: str | None, attributes: dict[str, str]) -> Iterator[Note]:
    from opentelemetry.trace import StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    w3c = TraceContextTextMapPropagator()
    around = w3c.extract({"traceparent": parent} if parent else {})
    named = {f"rendezvous.{key}": value for key, value in attributes.items()}
    # Only the name of an error goes into a span: its message may be about people.
    with tracer.start_as_current_span(
        name, around, _kind(name), named, record_exception=False, set_status_on_exception=False
    ) as ours:
        carrier: dict[str, str] = {}
        w3c.inject(carrier)
        with _placed(carrier.get("traceparent")):
            try:
                yield lambda key, value: ours.set_attribute(f"rendezvous.{key}", value)
            except Exception as error:
                ours.set_status(StatusCode.ERROR, type(error).__name__)
                raise


def _kind(name: Name) -> SpanKind:
    from opentelemetry.trace import SpanKind

    return {"accept": SpanKind.SERVER, "attempt": SpanKind.CONSUMER}.get(name, SpanKind.CLIENT)


@cache
def _tracer() -> Tracer | None:
    """Made when first asked for, in the process that uses it: threads do not survive gunicorn's fork."""
    if not any(os.environ.get(f"OTEL_EXPORTER_OTLP_{what}ENDPOINT") for what in ("", "TRACES_")):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        _log.warning("no traces: OTEL_EXPORTER_OTLP_ENDPOINT is set, the extra otel is not installed", error=str(error))
        return None
    provider = TracerProvider(resource=Resource({"service.name": "rendezvous"}).merge(OTELResourceDetector().detect()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=_EXPORT_SECONDS)))
    return provider.get_tracer("rendezvous")


@dataclass(frozen=True, slots=True)
class _Traced:
    """A backend each of whose calls is a span."""

    exchange: Exchange

    def read(self, target: Target, properties: Collection[str]) -> Event:
        with span("read", backend=target.backend):
            return self.exchange.read(target, properties)

    def write(self, target: Target, event: Event, patch: Patch) -> Written:
        with span("write", backend=target.backend, changes="+".join(sorted(patch.changes))) as note:
            written = self.exchange.write(target, event, patch)
            note("request_id", written.request_id or "")
            return written
