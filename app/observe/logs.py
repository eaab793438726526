"""Logs: records of structlog and the standard library in one format.

No record holds an image or an embedding.
"""

import logging
import sys
import traceback
from typing import TextIO

import structlog

from app.observe.plain_text import plain
from app.settings import LogSettings

_TALKATIVE = ("PIL", "alembic", "faiss", "matplotlib", "python_multipart", "urllib3")
"""Libraries of which only warnings are logged: at debug level, PIL prints what is in a photo's
EXIF, and alembic each step of a migration."""


class _StandardError(logging.Handler):
    """Writes to the present standard error: a program that embeds the service may redirect it."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001  (as logging's own handlers: a log line stops nothing)
            self.handleError(record)


def _plain_values(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Show control characters in the texts of others, such as names and causes of errors."""
    whole = ("exception", "stack")  # have lines of their own
    return {
        key: plain(value) if isinstance(value, str) and key not in whole else value
        for key, value in event.items()
    }


def _plain_traceback(out: TextIO, exc_info: structlog.typing.ExcInfo) -> None:
    text = "".join(traceback.format_exception(*exc_info)).rstrip("\n")
    out.write("\n" + "\n".join(plain(line) for line in text.split("\n")))


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
        structlog.dev.ConsoleRenderer(exception_formatter=_plain_traceback)
        if console
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    # No line shows them: to look for the calling function takes as long as to write the line.
    logging._srcfile = None  # noqa: SLF001  (as logging documents it)
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = _StandardError()
    tail = (
        [_plain_values, renderer] if console else [structlog.processors.format_exc_info, renderer]
    )
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *tail],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.level.upper())
    for library in _TALKATIVE:
        logging.getLogger(library).setLevel(logging.WARNING)
