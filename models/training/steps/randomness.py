"""Chance that follows from the seed and the step, so that a run can go on from any step.

No generator's state needs to be kept: what is drawn at a step does not depend on what was drawn
before it.
"""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

SHARED = -1
"""Instead of a rank: what all processes draw alike."""


def seed_step(seed: int, step: int, rank: int) -> None:
    """Seed every global generator for one step of one process."""
    drawn = np.random.SeedSequence((seed, step, rank + 1)).generate_state(2)
    torch.manual_seed(int(drawn[0]))
    random.seed(int(drawn[1]))
    np.random.seed(int(drawn[1]))  # noqa: NPY002  (what pytorch-metric-learning draws from)


@contextmanager
def repeatable(*, wanted: bool, threads: int) -> Iterator[None]:
    """Deterministic operations where there are such, and so many CPU threads, for a while."""
    before = torch.are_deterministic_algorithms_enabled()
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    threads_before = torch.get_num_threads()
    states = (torch.get_rng_state(), random.getstate(), np.random.get_state())  # noqa: NPY002
    # cuBLAS reads it when it is first used; without it, its sums differ from run to run.
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
