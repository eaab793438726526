"""Measure calibrations in a process of its own, of the least priority.

Millions of pairs take half a minute of NumPy, which holds Python's lock for much of it. In a thread
of the service, this would make every search several times slower.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock

import numpy as np
import structlog
from numpy.typing import NDArray

from app.errors import Stopping
from models.evaluation.calibration.measure_map import USUAL_GAINS, measure_map
from models.evaluation.calibration.measure_process import write_query
from models.evaluation.calibration.similarity_map import Gains, SimilarityMap
from models.zoo.serving.cpu_threads import yielding

_FEW = 500
"""Embeddings up to which counting the pairs takes less time than starting a process."""
_MODULE = "models.evaluation.calibration.measure_process"
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Sample:
    """People to measure, with the parameters of `measure_map`: embeddings (N, dimension) of unit
    length, the person of each, and what the calibration says about them."""

    embeddings: NDArray[np.float32]
    people: Sequence[str]
    embedder: str
    digest: str
    source: str
    usual_gains: Gains = USUAL_GAINS


def measure_here(sample: Sample) -> SimilarityMap:
    """Measure in this process. Raises ValueError when there are too few people."""
    return measure_map(**vars(sample))


class MeasuringProcess:
    """Measures in child processes, one for each call; `stop` ends them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopping = False

    @property
    def running(self) -> int:
        """Number of child processes."""
        return len(self._running)

    def measure(self, sample: Sample) -> SimilarityMap:
        """Measure as `measure_here` does. Raises ValueError as it does, and Stopping."""
        if len(sample.embeddings) <= _FEW:
            return measure_here(sample)
        child = self._start()
        try:
            assert child.stdin is not None
            assert child.stdout is not None
            try:
                write_query(child.stdin, **vars(sample))  # type: ignore[arg-type]
            except BrokenPipeError:
                _log.warning("measuring_ended_early")  # the answer is empty then
            with yielding():
                answer = child.stdout.read()
        finally:
            self._end(child)
        return self._map(answer, child.returncode)

    def stop(self) -> None:
        """End running measurements, and refuse further ones with Stopping."""
        with self._lock:
            self._stopping = True
            for child in self._running:
                child.kill()

    def _start(self) -> "subprocess.Popen[bytes]":
        environment = os.environ | dict.fromkeys(_ONE_THREAD, "1")
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        with self._lock:
            if self._stopping:
                raise Stopping
            child = subprocess.Popen(  # noqa: S603  (of our own)
                [sys.executable, "-P", "-m", _MODULE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
                # Ctrl-C reaches the service alone, which then ends this process. A session of its
                # own would get a share of the cores whatever the priority of its processes.
                process_group=0,
            )
            self._running.add(child)
        return child

    def _end(self, child: "subprocess.Popen[bytes]") -> None:
        with self._lock:
            self._running.discard(child)
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # unsent bytes, when it ended early
                    pipe.close()

    def _map(self, answer: bytes, status: int) -> SimilarityMap:
        if not answer:
            if self._stopping:
                raise Stopping
            raise RuntimeError(f"the process that measures ended with {status} and no answer")
        found = json.loads(answer)
        if "error" in found:
            raise ValueError(found["error"])
        return SimilarityMap.from_json(found["map"])
