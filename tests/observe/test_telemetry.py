"""Where the log goes."""

import io
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog
from structlog.testing import capture_logs

from app.observe.logs import configure_logging
from app.observe.metrics import Metrics, Readings
from app.settings import LogSettings

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


def test_batches_and_drops_are_counted_by_stage_and_reason() -> None:
    metrics = Metrics()
    for size in (1, 3):
        metrics.observe_batch("detect", size)
    metrics.observe_batch("embed", 8)
    metrics.count_dropped("deadline")
    assert metrics.mean_batch_sizes() == {"detect": 2.0, "embed": 8.0}
    told = metrics.registry.get_sample_value
    assert told("vultus_batch_size_bucket", {"stage": "detect", "le": "2.0"}) == 1
    assert told("vultus_photos_dropped_total", {"reason": "deadline"}) == 1


def test_reading_that_is_not_known_is_left_out() -> None:
    metrics = Metrics()
    metrics.watch(lambda: Readings(2, 258, 7, None, None, None))
    text = metrics.render().decode("utf-8")
    assert "vultus_photos_pending 2.0" in text
    assert "vultus_index_faces 7.0" in text
    for name in ("vultus_collections", "revisions_behind", "device_memory"):
        assert name not in text


def test_libraries_do_not_print_what_is_in_a_photo(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logging(LogSettings(level="debug"))
    logging.getLogger("PIL.TiffImagePlugin").debug("tag: GPSInfo - value: 52.5")
    logging.getLogger("PIL.TiffImagePlugin").warning("corrupt")
    assert "52.5" not in stream.getvalue()
    assert "corrupt" in stream.getvalue()
