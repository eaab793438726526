"""OpenTelemetry spans of requests, when an endpoint is configured; the only import of its SDK.

OpenTelemetry's own variables configure it: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT (or
OTEL_EXPORTER_OTLP_ENDPOINT) turns it on; the SDK reads the others, as OTEL_SERVICE_NAME,
OTEL_TRACES_SAMPLER and OTEL_EXPORTER_OTLP_HEADERS. A request's spans are made when it has ended.
The provider is our own and not the process's global one, so no other library adds spans to it: no
span holds a query, a body or a header.
"""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from app import __version__
from app.errors import PackagesMissing
from app.observe.request_scope import Stage

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

_NS = 1_000_000_000
_OF_TRACES = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
_ENDPOINTS = (_OF_TRACES, "OTEL_EXPORTER_OTLP_ENDPOINT")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FinishedRequest:
    """`started_ns` since the epoch; `traceparent` and `tracestate` as the caller sent them."""

    method: str
    route: str
    status: int
    request_id: str
    started_ns: int
    seconds: float
    stages: tuple[tuple[Stage, float], ...]
    traceparent: str = ""
    tracestate: str = ""


class Tracing:
    """Sends spans in the background, in batches; those that cannot be sent are dropped."""

    def __init__(self, exporter: "SpanExporter | None" = None) -> None:
        """Raises PackagesMissing."""
        try:
            from opentelemetry import trace  # noqa: PLC0415  (an optional package)
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
                OTLPSpanExporter,
            )
            from opentelemetry.sdk.resources import (  # noqa: PLC0415
                SERVICE_NAME,
                OTELResourceDetector,
                Resource,
            )
            from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
            from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
            from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
                TraceContextTextMapPropagator,
            )
        except ImportError as error:
            raise PackagesMissing(
                f"{' or '.join(filter(os.environ.get, _ENDPOINTS))} asks for spans, but "
                f"OpenTelemetry is not installed ({error}); OTEL_SDK_DISABLED=true sends none",
                extra="otel",
            ) from error
        self._trace = trace
        self._propagator = TraceContextTextMapPropagator()
        attributes: dict[str, str | int] = {
            "service.version": __version__,
            "process.pid": os.getpid(),
        }
        if SERVICE_NAME not in OTELResourceDetector().detect().attributes:
            attributes[SERVICE_NAME] = "vultus"
        self._provider = TracerProvider(resource=Resource.create(attributes))
        self._provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("vultus", __version__)

    def record(self, request: FinishedRequest) -> None:
        """One span of the request and one of each stage.

        Stages are known by their lengths alone: their spans are laid one after another.
        """
        parent = self._propagator.extract(
            {"traceparent": request.traceparent, "tracestate": request.tracestate}
        )
        span = self._tracer.start_span(
            f"{request.method} {request.route}",
            context=parent,
            kind=self._trace.SpanKind.SERVER,
            start_time=request.started_ns,
            attributes={
                "http.request.method": request.method,
                "http.route": request.route,
                "http.response.status_code": request.status,
                "vultus.request_id": request.request_id,
            },
        )
        if request.status >= 500:
            span.set_status(self._trace.StatusCode.ERROR)
        inside = self._trace.set_span_in_context(span, parent)
        at_ns = request.started_ns
        for stage, seconds in request.stages:
            child = self._tracer.start_span(str(stage), context=inside, start_time=at_ns)
            at_ns += round(seconds * _NS)
            child.end(at_ns)
        span.end(request.started_ns + round(request.seconds * _NS))

    def stop(self) -> None:
        """Send what is left; waits for the collector, but not for long."""
        self._provider.shutdown()


def build_tracing() -> Tracing | None:
    """None where the environment names no endpoint, or OpenTelemetry is switched off.

    Raises PackagesMissing where the endpoint of traces itself is named. That of all signals may be
    set for every service of a platform: without the packages, only the log says so.
    """
    off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    off |= os.environ.get("OTEL_TRACES_EXPORTER", "").lower() == "none"
    if off or not any(map(os.environ.get, _ENDPOINTS)):
        return None
    try:
        return Tracing()
    except PackagesMissing as error:
        if os.environ.get(_OF_TRACES):
            raise
        _log.warning("tracing_unavailable", cause=str(error), remedy="install vultus[otel]")
        return None
