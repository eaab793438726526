"""Sessions of OpenVINO on the CPU, an optional package, which only this file imports."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import local
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.zoo.errors import WeightsMissingError
from models.zoo.network import Precision
from models.zoo.serving.backends import Backend, missing_packages
from models.zoo.serving.cpu_threads import IdleCores
from models.zoo.serving.no_telemetry import forbid_telemetry
from models.zoo.serving.run_options import RunOptions

_MOST_ROWS = 8
"""Rows of one pass. OpenVINO keeps prepared code for each number of rows, so these should be few.
More rows at once are not faster (`benchmarks/speed/runtimes.py`)."""


class OpenVinoSession:
    """A graph in bfloat16 if it is wanted and the processor computes it, else in float32.

    There is one model with a stream for each of the `passes`. If a pass may take more threads while
    cores are idle, there is a second one with a single stream of these threads. An embedding
    depends neither on its batch nor on the number of threads.
    """

    device = "cpu"
    runtime: Backend = "openvino"

    def __init__(self, graph: Path | bytes, options: RunOptions) -> None:
        """Raises RuntimeError for a graph that OpenVINO cannot run."""
        model = _core().read_model(graph)
        source = model.input(0)
        self.input_shape: list[Any] = [
            length.get_length() if length.is_static else None for length in source.partial_shape
        ]
        self.metadata = _metadata(model)
        self._takes_any_count = self.input_shape[0] is None
        self.precision: Precision = (
            "bfloat16" if options.half and computes_bfloat16() else "float32"
        )
        busy, idle = options.threads.busy, options.threads.idle
        self._few = _Requests(self._compile(model, streams=options.passes, threads=busy))
        self._many = self._few
        if idle > busy:
            self._many = _Requests(self._compile(model, streams=1, threads=idle))
        self._count = idle
        self._cores = IdleCores()

    def run(self, x: NDArray[np.generic]) -> NDArray[np.float32]:
        rows = [self._run(x[start : start + _MOST_ROWS]) for start in range(0, len(x), _MOST_ROWS)]
        return rows[0] if len(rows) == 1 else np.concatenate(rows)

    def _run(self, x: NDArray[np.generic]) -> NDArray[np.float32]:
        is_idle = self._many is not self._few and self._cores.for_threads(self._count)
        request = (self._many if is_idle else self._few).of_this_thread()
        # Its memory is shared: to find out how to copy an argument of `infer` takes OpenVINO as
        # long as a small network. The request does not keep the array, which may be a copy of `x`.
        shared = np.require(x, requirements=["C", "W"])
        request.set_input_tensor(_tensor(shared))
        request.infer(share_inputs=True, share_outputs=True)
        found = request.get_output_tensor(0).data
        del shared  # not before the pass has ended
        return np.array(found, dtype=np.float32)  # a copy, as the request reuses its memory

    def _compile(self, model: Any, *, streams: int, threads: int) -> Any:  # noqa: ANN401
        return _core().compile_model(
            model,
            "CPU",
            {
                "NUM_STREAMS": streams,
                "INFERENCE_NUM_THREADS": streams * threads,
                "INFERENCE_PRECISION_HINT": "bf16" if self.precision == "bfloat16" else "f32",
                # A thread that is bound to a core waits for it while other cores are idle.
                "ENABLE_CPU_PINNING": False,
            },
        )


class _Requests:
    """The requests of a compiled model, one for each thread."""

    def __init__(self, compiled: Any) -> None:  # noqa: ANN401
        self._compiled = compiled
        self._own = local()

    def of_this_thread(self) -> Any:  # noqa: ANN401
        if not hasattr(self._own, "request"):
            self._own.request = self._compiled.create_infer_request()
        return self._own.request


@cache
def computes_bfloat16() -> bool:
    """Whether this processor computes in bfloat16 (AMX, AVX512-BF16), and OpenVINO is installed."""
    if missing_packages("openvino"):
        return False
    return "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


@cache
def _core() -> Any:  # noqa: ANN401
    forbid_telemetry()
    try:
        import openvino  # noqa: PLC0415  (an optional extra)
    except ImportError as error:
        raise WeightsMissingError(
            f"openvino cannot be imported ({error}); run: pip install 'vultus[openvino]'"
        ) from error
    return openvino.Core()


def _tensor(x: NDArray[np.generic]) -> Any:  # noqa: ANN401
    import openvino  # noqa: PLC0415  (an optional extra, imported by now)

    return openvino.Tensor(x, shared_memory=True)


def _metadata(model: Any) -> Mapping[str, str]:  # noqa: ANN401
    if not model.has_rt_info(["framework"]):
        return {}
    entries = model.get_rt_info()["framework"]
    return {key: model.get_rt_info(["framework", key]).astype(str) for key in entries}
