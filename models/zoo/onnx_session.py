"""Sessions of ONNX Runtime, an optional package. The only file that imports it."""

from pathlib import Path
from typing import Any

from models.zoo.errors import WeightsMissingError


def runtime() -> Any:  # noqa: ANN401  (onnxruntime ships no types)
    """The package. Raises WeightsMissingError when it is not installed."""
    try:
        import onnxruntime  # noqa: PLC0415  (an optional extra)
    except ImportError as error:
        raise WeightsMissingError(
            "onnxruntime is not installed; run: pip install 'vultus[onnx]'"
        ) from error
    return onnxruntime


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
