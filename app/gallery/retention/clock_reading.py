"""The clocks of this machine: the moment, which can be set wrong, and how long the machine runs."""

import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ClockReading:
    """A moment by the system clock, and seconds by a clock that nobody sets.

    `running_s` counts from the start of the machine, times of sleep included. It compares with
    readings of one `boot_id` alone; None: of this process alone.
    """

    at: datetime
    running_s: float
    boot_id: str | None

    def is_of_boot(self, other: "ClockReading") -> bool:
        return self.boot_id is not None and self.boot_id == other.boot_id

    def later(self, running_s: float) -> datetime:
        """The moment at which the machine will have run for so many seconds."""
        return self.at + timedelta(seconds=running_s - self.running_s)


def read_clock() -> ClockReading:
    """Read the clocks of this machine."""
    return ClockReading(datetime.now(UTC), _running_s(), _boot_id())


def _running_s() -> float:
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)  # the monotonic clock stops in sleep
    return time.monotonic()


@cache
def _boot_id() -> str | None:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:36] or None
    except OSError:
        return None
