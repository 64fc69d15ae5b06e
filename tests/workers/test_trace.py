"""Which trace a piece of work belongs to: a header carried on, and spans where they are wanted."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.served import served
from tests.workers.events import an_event
from tests.workers.fake_exchange import FakeExchange, Fault
from workers import trace
from workers.exchange import Patch, Throttled
from workers.update import Target

ROOT = Path(__file__).resolve().parents[2]
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACE, SPAN = PARENT.split("-")[1:3]
ANNAS = Target(backend="cloud", event="AAMkAGI=", mailbox="anna@contoso.com")


@pytest.mark.parametrize("header", [PARENT, PARENT[:-2] + "00", PARENT[:-2] + "03"])
def test_a_traceparent_is_taken_as_it_is(header: str) -> None:
    assert trace.received(header) == header


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        ("cc-" + PARENT[3:] + "-what-the-future-will-be-like", PARENT),
        ("01" + PARENT[2:], PARENT),
        (PARENT[:-2] + "ff", PARENT[:-2] + "03"),
    ],
)
def test_of_a_newer_one_only_what_is_known_is_taken(header: str, taken: str) -> None:
    assert trace.received(header) == taken


@pytest.mark.parametrize(
    "header",
    [
        None, "", "00", PARENT.upper(), PARENT + "-more", PARENT + " ", PARENT + "\n", f"{PARENT},{PARENT}",
        "ff" + PARENT[2:], PARENT.replace(TRACE, "0" * 32), PARENT.replace(SPAN, "0" * 16), PARENT[:-1], PARENT + "0",
        PARENT.replace("a", "g"),
    ],
)  # fmt: skip
def test_what_is_no_traceparent_is_as_if_it_were_not_there(header: str | None) -> None:
    assert trace.received(header) is None


@given(st.text())
def test_whatever_is_sent_nothing_else_goes_on(header: str) -> None:
    assert trace.received(header) in (None, header)


def test_without_opentelemetry_the_callers_header_goes_on_as_it_is() -> None:
    assert trace.headers() == {}
    with trace.span("attempt", PARENT) as note:
        note("outcome", "succeeded")
        with trace.span("callback"):
            assert trace.headers() == {"traceparent": PARENT}
    assert trace.headers() == {}


def test_without_opentelemetry_a_backend_is_left_as_it_is() -> None:
    exchange = FakeExchange(an_event())
    assert trace.traced(exchange) is exchange


def test_nothing_of_opentelemetry_is_loaded_unless_it_is_wanted() -> None:
    ours = "opentelemetry.sdk.trace", "opentelemetry.exporter", "opentelemetry.trace.propagation.tracecontext"
    code = f"import sys, webhooks, workers.engine; print([name for name in sys.modules if name.startswith({ours})])"
    assert said(code) == "[]\n", "redis loads its metrics; more is not to be paid for"


def test_a_collector_without_the_extra_is_one_warning_and_no_more() -> None:
    code = f"""
import sys
sys.modules["opentelemetry.sdk"] = None
from workers import trace
for _ in range(2):
    with trace.span("attempt", "{PARENT}"):
        print(trace.current())
"""
    lines = said(code, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9").splitlines()
    assert [line for line in lines if "-" in line and "extra" not in line] == [PARENT, PARENT]
    assert len([line for line in lines if "the extra otel is not installed" in line]) == 1


class TestWithSpans:
    """With a tracer that keeps its spans in memory."""

    @pytest.fixture(autouse=True)
    def spans(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spans]:
        provider, kept = TracerProvider(), InMemorySpanExporter()
        provider.add_span_processor(SimpleSpanProcessor(kept))
        monkeypatch.setattr(trace, "_tracer", lambda: provider.get_tracer("tests"))
        yield Spans(kept)
        provider.shutdown()

    def test_an_attempts_calls_are_its_children_and_bear_their_own_ids(self, spans: Spans) -> None:
        with trace.span("attempt", PARENT, job="upd_1") as note:
            attempt = trace.current()
            with trace.span("read"):
                read = trace.current()
            note("outcome", "succeeded")
        assert attempt is not None
        assert read is not None
        assert spans.parents() == {"read": attempt.split("-")[2], "attempt": SPAN}
        assert len({PARENT, attempt, read}) == 3
        assert {one.split("-")[1] for one in (attempt, read)} == {TRACE}
        assert spans.attributes("attempt") == {"rendezvous.job": "upd_1", "rendezvous.outcome": "succeeded"}

    def test_without_a_caller_a_trace_of_our_own_begins(self, spans: Spans) -> None:
        with trace.span("accept"):
            assert trace.received(trace.current()) is not None
        assert spans.parents() == {"accept": None}

    def test_reading_and_writing_are_spans_that_tell_nothing_of_the_event(self, spans: Spans) -> None:
        exchange = trace.traced(FakeExchange(an_event()))
        with trace.span("attempt", PARENT):
            event = exchange.read(ANNAS, {"subject"})
            exchange.write(ANNAS, event, Patch({"subject": "Secret"}, "sendToNone", ("upd_1",)))
        assert [one.name for one in spans.kept.get_finished_spans()] == ["read", "write", "attempt"]
        assert spans.attributes("write")["rendezvous.changes"] == "subject"
        assert not any(said in one.to_json() for one in spans.kept.get_finished_spans() for said in ("Secret", "anna"))

    def test_a_failed_write_is_a_failed_span_of_which_only_the_kind_is_told(self, spans: Spans) -> None:
        exchange = FakeExchange(an_event())
        exchange.write_faults.append(Fault.THROTTLED)
        ours = trace.traced(exchange)
        with pytest.raises(Throttled):
            ours.write(ANNAS, ours.read(ANNAS, {"subject"}), Patch({"subject": "x"}, "sendToNone", ("upd_1",)))
        [write] = [one for one in spans.kept.get_finished_spans() if one.name == "write"]
        assert (write.status.is_ok, write.status.description, write.events) == (False, "Throttled", ())


def test_spans_reach_a_collector_before_the_process_ends() -> None:
    code = f"from workers import trace\nwith trace.span('attempt', '{PARENT}'): pass"
    collector = Collector()
    with served(collector.server):
        said(code, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    [body] = collector.bodies
    [sent] = ExportTraceServiceRequest.FromString(body).resource_spans
    assert {one.key: one.value.string_value for one in sent.resource.attributes}["service.name"] == "rendezvous"
    [span] = sent.scope_spans[0].spans
    assert (span.name, span.trace_id.hex(), span.parent_span_id.hex()) == ("attempt", TRACE, SPAN)


class Spans:
    """What was recorded."""

    def __init__(self, kept: InMemorySpanExporter) -> None:
        self.kept = kept

    def parents(self) -> dict[str, str | None]:
        spans = self.kept.get_finished_spans()
        return {one.name: f"{one.parent.span_id:016x}" if one.parent else None for one in spans}

    def attributes(self, name: str) -> dict[str, object]:
        [found] = [one for one in self.kept.get_finished_spans() if one.name == name]
        return dict(found.attributes or {})


class Collector:
    """Somebody who takes spans over OTLP, and keeps the bytes."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        kept = self.bodies

        class Taking(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                kept.append(gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Taking)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


def said(code: str, **environ: str) -> str:
    """What a Python process of its own prints."""
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env={**quiet, **environ}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
