"""Sessions of ONNX Runtime, an optional package, which only this file imports."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.zoo.errors import WeightsMissingError
from models.zoo.network import Precision
from models.zoo.serving.backends import Backend
from models.zoo.serving.cpu_threads import CpuThreads, IdleCores
from models.zoo.serving.no_telemetry import forbid_telemetry
from models.zoo.serving.run_options import RunOptions


def runtime() -> Any:  # noqa: ANN401  (onnxruntime ships no types)
    """The package. Raises WeightsMissingError when it is not installed."""
    forbid_telemetry()
    try:
        import onnxruntime  # noqa: PLC0415  (an optional extra)
    except ImportError as error:
        raise WeightsMissingError(
            "onnxruntime is not installed; run: pip install 'vultus[onnx]'"
        ) from error
    return onnxruntime


class ElasticSession:
    """A session with few threads and one with many; each pass takes one by the idle cores."""

    def __init__(
        self, graph: Path | bytes, threads: CpuThreads, *, optimised: bool = False
    ) -> None:
        self.few = open_session(graph, device="cpu", threads=threads.busy, optimised=optimised)
        self._many = open_session(graph, device="cpu", threads=threads.idle, optimised=optimised)
        self._count = threads.idle
        self._cores = IdleCores()

    def run(self, outputs: Any, inputs: Any) -> Any:  # noqa: ANN401  (as onnxruntime's own)
        session = self._many if self._cores.for_threads(self._count) else self.few
        return session.run(outputs, inputs)


class OnnxRuntimeSession:
    """A graph on CUDA if it is wanted and available, else on the CPU."""

    runtime: Backend = "onnxruntime"
    precision: Precision = "float32"

    def __init__(
        self, graph: Path | bytes, options: RunOptions, *, optimised: bool = False
    ) -> None:
        """`optimised`: the graph is one of `save_optimised`.

        Raises exceptions of the runtime, which share no base, for a graph that it cannot run.
        """
        if options.device == "cuda":
            session = open_session(graph, device="cuda", threads=options.threads.busy)
        else:
            session = open_on_cpu(graph, options.threads, optimised=optimised)
        one = session.few if isinstance(session, ElasticSession) else session
        self.device = "cuda" if "CUDAExecutionProvider" in one.get_providers() else "cpu"
        source = one.get_inputs()[0]
        self.input_shape: list[Any] = source.shape
        self.metadata: Mapping[str, str] = one.get_modelmeta().custom_metadata_map
        self._name = source.name
        self._session: Any = session

    def run(self, x: NDArray[np.generic]) -> NDArray[np.float32]:
        return self.run_all(x)[0]

    def run_all(self, x: NDArray[np.generic]) -> list[NDArray[np.float32]]:
        """All outputs of the graph, in their order."""
        results = self._session.run(None, {self._name: np.ascontiguousarray(x)})
        return [np.asarray(result, dtype=np.float32) for result in results]


def open_on_cpu(graph: Path | bytes, threads: CpuThreads, *, optimised: bool = False) -> Any:  # noqa: ANN401
    """A session, or an object with the same `run`; see `open_session`."""
    if threads.idle > threads.busy:
        return ElasticSession(graph, threads, optimised=optimised)
    return open_session(graph, device="cpu", threads=threads.busy, optimised=optimised)


def save_optimised(graph: bytes, path: Path, weights: str) -> None:
    """Write the graph as it is optimised for this processor.

    The file `weights` beside it gets the weights as the layers take them: sessions map them into
    memory and make no copy. Raises exceptions of the runtime, which share no base.
    """
    package = runtime()
    options = package.SessionOptions()
    options.log_severity_level = 3  # not that the file is for this processor
    options.optimized_model_filepath = str(path)
    for entry, value in (
        ("session.optimized_model_external_initializers_file_name", weights),
        ("session.optimized_model_external_initializers_min_size_in_bytes", "1024"),
        ("session.save_external_prepacked_constant_initializers", "1"),
    ):
        options.add_session_config_entry(entry, value)
    package.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def open_session(model: Path | bytes, *, device: str, threads: int, optimised: bool = False) -> Any:  # noqa: ANN401
    """A session on CUDA if it is wanted and available, else on `threads` CPU threads.

    `optimised`: the graph is one of `save_optimised`, and is run as it is. Several threads may run
    it at once. Raises exceptions of the runtime, which share no base, for a graph that it cannot
    run.
    """
    package = runtime()
    options = package.SessionOptions()
    if optimised:
        options.graph_optimization_level = package.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that wait by spinning would take cores from threads that have work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The runtime keeps a memory plan for each input shape, and photos have many shapes.
    options.enable_mem_pattern = False
    wanted = ["CPUExecutionProvider"]
    if device == "cuda" and "CUDAExecutionProvider" in package.get_available_providers():
        wanted.insert(0, "CUDAExecutionProvider")
    source = model if isinstance(model, bytes) else str(model)
    session = package.InferenceSession(source, options, providers=wanted)
    # It keeps the graph to begin again with another provider where a pass fails, which would hide
    # the failure. Without this, a graph of 40 MB stays in memory as long as the session.
    session.disable_fallback()
    session._model_bytes = None  # noqa: SLF001
    return session
