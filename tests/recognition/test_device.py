"""Networks run where the settings say, or the service does not start."""

import os
import sys
import threading

import pytest
import torch

from app.errors import StartupError
from app.recognition.device import (
    detector_device,
    device_memory_bytes,
    limit_threads,
    require_full_precision,
    resolve_device,
)
from app.runtime.thread_priority import give_way

_MISSING = [
    name
    for name, there in (
        ("cuda", torch.cuda.is_available()),
        ("mps", torch.backends.mps.is_available()),
    )
    if not there
]


def test_the_cpu_is_always_there() -> None:
    assert resolve_device("cpu") == "cpu"


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_missing_device_is_refused_with_a_remedy(device: str) -> None:
    if device not in _MISSING:
        pytest.skip(f"{device} is here")
    with pytest.raises(StartupError, match=f"VULTUS_DEVICE={device}") as caught:
        resolve_device(device)
    assert "VULTUS_DEVICE=auto" in str(caught.value)
    assert torch.__version__ in str(caught.value)


def test_auto_takes_the_first_device_that_is_there() -> None:
    best = next(name for name in ("cuda", "mps", "cpu") if name not in _MISSING)
    assert resolve_device("auto") == best


def test_the_detector_follows_to_cuda_but_not_to_mps() -> None:
    assert [detector_device(name) for name in ("cpu", "cuda", "mps")] == ["cpu", "cuda", "cpu"]


def test_a_worker_thread_computes_on_as_many_threads_as_it_was_given() -> None:
    seen: list[int] = []

    def work() -> None:
        for count in (2, 1):
            limit_threads(count)
            seen.append(torch.get_num_threads())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [2, 1]


def test_cuda_multiplies_what_the_cpu_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    require_full_precision("cpu")
    assert torch.backends.cudnn.allow_tf32
    require_full_precision("cuda")
    assert not torch.backends.cudnn.allow_tf32


def test_the_cpu_has_no_memory_of_its_own() -> None:
    assert device_memory_bytes("cpu") is None


@pytest.mark.gpu
@pytest.mark.skipif("cuda" in _MISSING, reason="no CUDA device")
def test_what_is_put_on_the_device_is_in_its_memory() -> None:
    before = device_memory_bytes("cuda")
    held = torch.ones(64 << 20, dtype=torch.uint8, device="cuda")
    after = device_memory_bytes("cuda")
    assert before is not None
    assert after is not None
    assert after >= held.nbytes
    assert after >= before


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own here")
@pytest.mark.parametrize("started_with", [0, 10, 19])
def test_a_thread_gives_way_to_other_threads_and_alone_does(started_with: int) -> None:
    """However low the priority that the service was started with."""
    seen: list[int] = []

    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    def work() -> None:
        lowest = max(started_with, niceness())
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), lowest)
        give_way(5)
        seen.extend((lowest, niceness()))

    before = niceness()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    lowest, given = seen
    assert given > lowest or given == 19
    assert niceness() == before
