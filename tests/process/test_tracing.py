"""Spans, as a collector receives them; nothing without an endpoint."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs

from app.cli.remedies import TERMINAL
from app.errors import PackagesMissing
from app.observe.request_scope import Stage
from app.observe.tracing import FinishedRequest, Tracing, build_tracing
from tests.kit.server import running

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def _request(**changes: Any) -> FinishedRequest:
    fields: dict[str, Any] = {
        "method": "POST",
        "route": "/v1/verify",
        "status": 200,
        "request_id": "abc",
        "started_ns": 1_700_000_000_000_000_000,
        "seconds": 0.5,
        "stages": ((Stage.DECODE, 0.1), (Stage.EMBED, 0.2)),
        **changes,
    }
    return FinishedRequest(**fields)


def _spans(*requests: FinishedRequest) -> dict[str, Any]:
    """The finished spans of these requests, by name."""
    exporter = InMemorySpanExporter()
    tracing = Tracing(exporter)
    for request in requests:
        tracing.record(request)
    tracing.stop()
    return {span.name: span for span in exporter.get_finished_spans()}


def test_request_is_a_span_with_its_stages_inside() -> None:
    spans = _spans(_request())
    request = spans["POST /v1/verify"]
    assert request.attributes == {
        "http.request.method": "POST",
        "http.route": "/v1/verify",
        "http.response.status_code": 200,
        "vultus.request_id": "abc",
    }
    assert request.end_time - request.start_time == 500_000_000
    assert request.parent is None
    for name, nanoseconds in (("decode", 100_000_000), ("embed", 200_000_000)):
        stage = spans[name]
        assert stage.parent.span_id == request.context.span_id
        assert stage.end_time - stage.start_time == nanoseconds
    assert spans["embed"].start_time == spans["decode"].end_time
    assert request.resource.attributes["service.name"] == "vultus"


def test_span_belongs_to_the_callers_trace() -> None:
    spans = _spans(_request(traceparent=f"00-{TRACE}-{PARENT}-01"))
    span = spans["POST /v1/verify"]
    assert f"{span.context.trace_id:032x}" == TRACE
    assert f"{span.parent.span_id:016x}" == PARENT


def test_caller_decides_whether_a_request_is_traced_else_the_ratio(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
        patch.setenv("OTEL_TRACES_SAMPLER_ARG", "0")
        assert _spans(_request()) == {}
        assert _spans(_request(traceparent=f"00-{TRACE}-{PARENT}-01"))
    assert _spans(_request(traceparent=f"00-{TRACE}-{PARENT}-00")) == {}


@pytest.mark.parametrize("header", ["", "nonsense", f"00-{'0' * 32}-{PARENT}-01"])
def test_useless_traceparent_begins_a_trace_of_its_own(header: str) -> None:
    assert _spans(_request(traceparent=header))["POST /v1/verify"].parent is None


def test_defect_is_an_error_and_a_refusal_is_not() -> None:
    for status, is_ok in ((500, False), (503, False), (422, True)):
        span = _spans(_request(status=status))["POST /v1/verify"]
        assert (span.status.status_code.name != "ERROR") == is_ok


def test_missing_packages_stop_the_start_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(PackagesMissing, match=r"^OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ") as caught:
        build_tracing()
    assert "vultus[otel]" in TERMINAL.detail(caught.value)


def test_endpoint_of_a_whole_platform_stops_no_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    with capture_logs() as lines:
        assert build_tracing() is None
    (line,) = lines
    assert (line["event"], line["remedy"]) == ("tracing_unavailable", "install vultus[otel]")
    assert line["cause"].startswith("OTEL_EXPORTER_OTLP_ENDPOINT asks")


def test_without_an_endpoint_there_is_no_tracing() -> None:
    """Nor are its packages loaded: tests/cli/test_imports.py."""
    assert build_tracing() is None


@pytest.mark.parametrize(
    ("name", "value"), [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")]
)
def test_opentelemetrys_own_switches_turn_tracing_off(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv(name, value)
    assert build_tracing() is None


@contextmanager
def _collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    received: list[ExportTraceServiceRequest] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_server_sends_its_spans_to_the_collector_that_the_file_of_settings_names(
    tmp_path: Path,
) -> None:
    """Settings by a name of 0.1.0, which the start reports, and by OpenTelemetry's own."""
    with _collector() as (endpoint, received):
        (tmp_path / ".env").write_text(
            f"VULTUS_TRACING__ENDPOINT={endpoint}\nOTEL_SERVICE_NAME=door\n"
        )
        with running(tmp_path) as server:
            sent = {"traceparent": f"00-{TRACE}-{PARENT}-01", "x-request-id": "till-7"}
            httpx2.get(f"{server.url}/v1/models?secret=1", headers=sent, timeout=60)
            server.stop()
            assert "former_setting" in server.events
    spans = [
        span
        for request in received
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    (span,) = [span for span in spans if span.name == "GET /v1/models"]
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
    attributes = {pair.key: pair.value for pair in span.attributes}
    assert attributes["vultus.request_id"].string_value == "till-7"
    assert attributes["http.response.status_code"].int_value == 200
    assert b"secret" not in span.SerializeToString()
    resource = {pair.key: pair.value for pair in received[0].resource_spans[0].resource.attributes}
    assert resource["service.name"].string_value == "door"
