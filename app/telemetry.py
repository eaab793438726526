"""Logs and metrics.

Every metric of the service is declared here; no log ever holds an image or an embedding.
"""

import logging
import sys
from collections.abc import Callable, Iterable

import structlog
from prometheus_client import CONTENT_TYPE_LATEST as METRICS_CONTENT_TYPE
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from app.settings import LogSettings

__all__ = ["METRICS_CONTENT_TYPE", "Metrics", "configure_logging"]


class Metrics:
    """One set of metrics, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "vultus_requests_total",
            "HTTP requests answered.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "vultus_request_seconds",
            "Time from the first byte of a request to the last byte of its answer.",
            ["method", "route"],
            registry=self.registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        )
        self.decisions = Counter(
            "vultus_decisions_total",
            "Decisions of verify (match, no_match) and identify (match, ambiguous, unknown, "
            "rejected).",
            ["operation", "outcome"],
            registry=self.registry,
        )
        self.enrolled_faces = Counter(
            "vultus_enrolled_faces_total", "Faces enrolled.", registry=self.registry
        )
        self.unknown_faces = Counter(
            "vultus_unknown_faces_total",
            "Faces that were answered unknown and put into a group.",
            registry=self.registry,
        )
        self.rejected_images = Counter(
            "vultus_rejected_images_total",
            "Images that were not enrolled, by reason.",
            ["reason"],
            registry=self.registry,
        )

        self.body_bytes = Gauge(
            "vultus_body_bytes",
            "Bytes of request bodies that are being read or worked on.",
            registry=self.registry,
        )

    def watch(self, *, pending: Callable[[], float], indexed: Callable[[], float]) -> None:
        """Read these two whenever the metrics are asked for."""
        Gauge(
            "vultus_photos_pending",
            "Photos being recognised or waiting for it.",
            registry=self.registry,
        ).set_function(pending)
        Gauge(
            "vultus_index_faces", "Faces in the search indexes.", registry=self.registry
        ).set_function(indexed)

    def count_decision(self, operation: str, outcome: str, *, kept: bool) -> None:
        """`kept`: the face was put into a group of unknowns."""
        self.decisions.labels(operation, outcome).inc()
        self.unknown_faces.inc(kept)

    def count_enrollment(self, *, faces: int, reasons: Iterable[str]) -> None:
        """Faces that were enrolled, and why images were not."""
        self.enrolled_faces.inc(faces)
        for reason in reasons:
            self.rejected_images.labels(reason).inc()

    def render(self) -> bytes:
        return generate_latest(self.registry)


class _StandardError(logging.Handler):
    """Writes to what standard error is by then: whoever embeds the service may redirect it."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001  (as logging's own handlers: a log line stops nothing)
            self.handleError(record)


def configure_logging(settings: LogSettings) -> None:
    """Send structlog's and the standard library's records to standard error in one format."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    console = settings.format == "console" or (settings.format == "auto" and sys.stderr.isatty())
    # The default, rich, formatter would print local variables: images, embeddings, API keys.
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if console
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = _StandardError()
    tail = [renderer] if console else [structlog.processors.format_exc_info, renderer]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *tail],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.level.upper())
    # Alembic tells of every migration step; ours log what matters themselves.
    logging.getLogger("alembic").setLevel(logging.WARNING)
