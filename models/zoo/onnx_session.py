"""Sessions of ONNX Runtime, an optional package. The only file that imports it."""

from pathlib import Path
from typing import Any

import numpy as np

from models.zoo.backends import Backend
from models.zoo.cpu_threads import CpuThreads, IdleCores
from models.zoo.errors import WeightsMissingError
from models.zoo.network import Crops, Embeddings, NetworkSpec, Precision


def runtime() -> Any:  # noqa: ANN401  (onnxruntime ships no types)
    """The package. Raises WeightsMissingError when it is not installed."""
    try:
        import onnxruntime  # noqa: PLC0415  (an optional extra)
    except ImportError as error:
        raise WeightsMissingError(
            "onnxruntime is not installed; run: pip install 'vultus[onnx]'"
        ) from error
    return onnxruntime


class ElasticSession:
    """A session with few threads and one with many, of which each pass takes the one that fits."""

    def __init__(self, graph: bytes, threads: CpuThreads) -> None:
        self._few = open_session(graph, device="cpu", threads=threads.busy)
        self._many = open_session(graph, device="cpu", threads=threads.idle)
        self._count = threads.idle
        self._cores = IdleCores()

    def run(self, outputs: Any, inputs: Any) -> Any:  # noqa: ANN401  (as onnxruntime's own)
        session = self._many if self._cores.for_threads(self._count) else self._few
        return session.run(outputs, inputs)


class OnnxRuntimeGraph:
    """A `Network` from a graph of ours, from crops as uint8 (N, side, side, 3) to embeddings.

    The digest is that of the weights that the graph was made of, so that embeddings can be compared
    with PyTorch's. They differ from these by rounding, less than 1e-5 in each value.
    """

    device = "cpu"
    runtime: Backend = "onnxruntime"
    precision: Precision = "float32"

    def __init__(self, spec: NetworkSpec, graph: bytes, digest: str, threads: CpuThreads) -> None:
        self.spec = spec
        self.digest = digest
        self._session: Any = open_on_cpu(graph, threads)

    def forward(self, crops: Crops) -> Embeddings:
        rows = self._session.run(None, {"crops": np.ascontiguousarray(crops)})[0]
        return np.asarray(rows, dtype=np.float32)


def open_on_cpu(graph: bytes, threads: CpuThreads) -> Any:  # noqa: ANN401
    """What has a `run` as a session; see `open_session`."""
    if threads.idle > threads.busy:
        return ElasticSession(graph, threads)
    return open_session(graph, device="cpu", threads=threads.busy)


def open_session(model: Path | bytes, *, device: str, threads: int) -> Any:  # noqa: ANN401
    """A session on CUDA where it is wanted and there, else on `threads` CPU threads.

    May be run by several threads at once. Raises the runtime's own exceptions, which share no base,
    for a graph that it cannot run.
    """
    package = runtime()
    options = package.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that wait for work by spinning take a busy machine's cores from those who have some.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Plans of memory are kept for each shape that was ever seen, and photos have all of them.
    options.enable_mem_pattern = False
    wanted = ["CPUExecutionProvider"]
    if device == "cuda" and "CUDAExecutionProvider" in package.get_available_providers():
        wanted.insert(0, "CUDAExecutionProvider")
    source = model if isinstance(model, bytes) else str(model)
    return package.InferenceSession(source, options, providers=wanted)
