"""A pass takes more threads while cores are idle, and is the same pass."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.recognition.build import cpu_threads
from models.zoo.network import Network
from models.zoo.networks.dlib_weights import load
from models.zoo.registry import DLIB_RESNET
from models.zoo.serving import cpu_threads as module
from models.zoo.serving.backends import Backend
from models.zoo.serving.cpu_threads import CpuThreads, IdleCores, yielding
from models.zoo.serving.run_options import RunOptions
from models.zoo.serving.serve import serve

linux = pytest.mark.skipif(not Path("/proc/loadavg").exists(), reason="asks Linux")


@linux
def test_more_threads_than_cores_never_find_idle_ones() -> None:
    assert not IdleCores().for_threads((os.cpu_count() or 1) + 1)


@linux
def test_busy_threads_leave_no_core_idle() -> None:
    cores = IdleCores()
    stop = threading.Event()
    matrix = np.ones((600, 600))

    def work() -> None:
        while not stop.is_set():
            np.linalg.svd(matrix)  # which holds no lock of Python's

    threads = [threading.Thread(target=work) for _ in range(2 * (os.cpu_count() or 1))]
    for thread in threads:
        thread.start()
    try:
        assert _within_a_while(lambda: not cores.for_threads(os.cpu_count() or 1))
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@linux
def test_work_of_the_least_priority_takes_no_core_from_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "load").write_text("0.20 0.18 0.12 2/80 11206\n")  # the asking one and another
    monkeypatch.setattr(module, "_LOAD", tmp_path / "load")
    cores, all_of_them = IdleCores(), os.cpu_count() or 1
    assert not cores.for_threads(all_of_them)
    with yielding():
        assert cores.for_threads(all_of_them)
        assert not cores.for_threads(all_of_them + 1)
    assert not cores.for_threads(all_of_them)


def test_where_nobody_tells_no_core_is_idle(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "_LOAD", tmp_path / "none")
    assert not IdleCores().for_threads(1)


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("idle", [True, False])
def test_a_network_gives_the_same_with_few_threads_and_with_many(
    monkeypatch: pytest.MonkeyPatch, idle: bool, backend: Backend
) -> None:
    weights, digest = load()
    crops = np.random.default_rng(0).integers(0, 256, (2, 150, 150, 3), dtype=np.uint8)

    def served(threads: CpuThreads) -> Network:
        options = RunOptions("cpu", half=False, backend=backend, threads=threads)
        return serve(weights, DLIB_RESNET, digest, options)

    alone = served(CpuThreads(1, 1)).forward(crops)
    monkeypatch.setattr(IdleCores, "for_threads", lambda *_: idle)
    elastic = served(CpuThreads(1, 3))
    assert elastic.runtime == backend
    assert np.allclose(elastic.forward(crops), alone, atol=1e-5)


@pytest.mark.parametrize(
    ("own", "of_the_machine", "idle"), [(2, 2, 2), (16, 16, 4), (1, 1, 1), (4, 16, 1)]
)
def test_a_pass_has_one_thread_on_a_busy_machine_and_up_to_four_on_an_idle_one(
    own: int, of_the_machine: int, idle: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One in all where a quota leaves the process fewer cores than there are."""
    monkeypatch.setattr("app.recognition.build.own_cores", lambda: own)
    monkeypatch.setattr("os.cpu_count", lambda: of_the_machine)
    assert cpu_threads() == CpuThreads(1, idle)


def _within_a_while(happens: Callable[[], bool]) -> bool:
    return any(happens() for _ in range(1_000_000))
