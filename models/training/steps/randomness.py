"""Random draws that follow from the seed and the step, so that a run can continue at any step.

No state of a generator is stored: the draws of a step do not depend on earlier ones.
"""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

SHARED = -1
"""The rank for equal draws in all processes."""


def seed_step(seed: int, step: int, rank: int) -> None:
    """Seed every global generator for one step of one process."""
    drawn = np.random.SeedSequence((seed, step, rank + 1)).generate_state(2)
    torch.manual_seed(int(drawn[0]))
    random.seed(int(drawn[1]))
    np.random.seed(int(drawn[1]))  # noqa: NPY002  (pytorch-metric-learning uses it)


@contextmanager
def repeatable(*, wanted: bool, threads: int) -> Iterator[None]:
    """Deterministic operations if available, and this number of CPU threads, until the end."""
    before = torch.are_deterministic_algorithms_enabled()
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    threads_before = torch.get_num_threads()
    states = (torch.get_rng_state(), random.getstate(), np.random.get_state())  # noqa: NPY002
    # cuBLAS reads it at its first use; without it, sums differ between runs.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(wanted, warn_only=True)
    torch.set_num_threads(threads or _cores())
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warns)
        torch.set_num_threads(threads_before)
        torch.set_rng_state(states[0])
        random.setstate(states[1])
        np.random.set_state(states[2])  # noqa: NPY002


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
