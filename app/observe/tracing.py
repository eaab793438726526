"""OpenTelemetry spans of requests, when an endpoint is configured; the only import of its SDK.

A request's spans are made when it has ended; without an endpoint nothing is done at all. The
provider is our own and not the process's global one, so no other library adds spans to it: none
ever holds a query, a body or a header.
"""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app import __version__
from app.errors import StartupError
from app.observe.request_scope import Stage
from app.settings import TracingSettings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

_NS = 1_000_000_000


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

    def __init__(self, settings: TracingSettings, exporter: "SpanExporter | None" = None) -> None:
        """Raises StartupError when the packages are missing."""
        try:
            from opentelemetry import trace  # noqa: PLC0415  (an optional package)
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
                OTLPSpanExporter,
            )
            from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
            from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
            from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
            from opentelemetry.sdk.trace.sampling import (  # noqa: PLC0415
                ParentBased,
                TraceIdRatioBased,
            )
            from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
                TraceContextTextMapPropagator,
            )
        except ImportError as error:
            raise StartupError(
                f"VULTUS_TRACING__ENDPOINT is set, but OpenTelemetry is not installed ({error}); "
                "pip install 'vultus[otel]', or unset it"
            ) from error
        self._trace = trace
        self._propagator = TraceContextTextMapPropagator()
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(settings.sample_ratio)),
            resource=Resource.create(
                {
                    "service.name": settings.service_name,
                    "service.version": __version__,
                    "process.pid": os.getpid(),
                }
            ),
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(exporter or OTLPSpanExporter(endpoint=settings.endpoint))
        )
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


def build_tracing(settings: TracingSettings) -> Tracing | None:
    """None without an endpoint. Raises StartupError when the packages are missing."""
    return None if settings.endpoint is None else Tracing(settings)
