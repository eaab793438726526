"""What was freed goes back to the system, although something above it is still in use."""

import ctypes
import sys

import psutil
import pytest

from app.runtime.memory import give_back_memory

_BLOCK = 64 * 1024  # below what glibc asks the system for by itself
_BLOCKS = 3_000


def _resident_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"),
    reason="only glibc keeps memory so",
)
def test_holes_between_what_is_in_use_are_given_back() -> None:
    blocks = [bytearray(b"x") * _BLOCK for _ in range(_BLOCKS)]
    held = blocks[::50]
    del blocks
    before = _resident_mb()
    give_back_memory()
    assert _resident_mb() < before - 0.5 * _BLOCK * _BLOCKS / 1e6
    assert all(block[-1] == ord("x") for block in held)
