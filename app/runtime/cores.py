"""The cores that this process may use."""

import os
from pathlib import Path

_CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def own_cores() -> int:
    """Return how many cores this process may use at once."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(cores or 1, _cgroup_cores())


def _cgroup_cores() -> int:
    """Cores of this container's CPU quota (cgroup v2), or more than any machine has."""
    try:
        quota, period = _CGROUP_QUOTA.read_text(encoding="ascii").split()
        return max(1, int(quota) // int(period))
    except (OSError, ValueError):  # no cgroup v2 here, or "max": no quota
        return 1_000_000
