"""Where the log goes."""

import io
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog
from structlog.testing import capture_logs

from app.settings import LogSettings
from app.telemetry import configure_logging

# As a module's own logger, which lives as long as the process.
_log = structlog.get_logger(__name__)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)


def test_log_follows_a_redirected_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", first)
    configure_logging(LogSettings())
    _log.warning("one")
    first.close()
    monkeypatch.setattr(sys, "stderr", second)
    _log.warning("two")
    (line,) = second.getvalue().splitlines()
    assert '"event": "two"' in line


def test_logger_that_was_used_before_is_captured_too() -> None:
    configure_logging(LogSettings())
    _log.warning("before")
    with capture_logs() as logs:
        _log.warning("captured")
    assert [entry["event"] for entry in logs] == ["captured"]
