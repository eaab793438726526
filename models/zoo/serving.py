"""Run a loaded module by what is fastest for it where it is to run."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import nn

from models.zoo.backends import Backend, BackendChoice, choose_backend
from models.zoo.cpu_threads import CpuThreads
from models.zoo.dlib_resnet import DlibResNet
from models.zoo.network import Network, NetworkSpec
from models.zoo.sface import SFace
from models.zoo.torch_network import TorchNetwork


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Where and by what a network runs.

    `device` is `cpu`, `cuda` or `mps`. `half` asks for 16-bit floats where the device is fast at
    them: float16 on CUDA, bfloat16 on a CPU that computes it, in OpenVINO. `backend` is what runs
    the network where it has a form for it. `threads` is the number of CPU threads of one forward
    pass outside PyTorch.
    """

    device: str
    half: bool
    backend: BackendChoice = "torch"
    threads: CpuThreads = field(default_factory=CpuThreads)


def serve(module: nn.Module, spec: NetworkSpec, digest: str, options: RunOptions) -> Network:
    """The module as a `Network`, in the backend that `options` and its forms lead to."""
    backend = choose_backend(options.backend, _forms(module), device=options.device)
    # Each here, because their runtimes are optional packages.
    if backend == "onnxruntime":
        from models.zoo.onnx_session import OnnxRuntimeGraph  # noqa: PLC0415

        return OnnxRuntimeGraph(spec, _graph(module, spec, backend), digest, options.threads)
    return TorchNetwork(spec, module, digest, device=options.device, half=options.half)


def _forms(module: nn.Module) -> Sequence[Backend]:
    """The backends that a network can run in, fastest first (`benchmarks/runtimes.py`)."""
    return ("onnxruntime", "torch") if isinstance(module, DlibResNet | SFace) else ("torch",)


def _graph(module: nn.Module, spec: NetworkSpec, backend: Backend) -> bytes:
    if isinstance(module, SFace):
        from models.zoo.sface_onnx import sface_graph  # noqa: PLC0415

        return sface_graph(module, spec, split_prelu=backend == "onnxruntime")
    from models.zoo.dlib_onnx import dlib_graph  # noqa: PLC0415

    assert isinstance(module, DlibResNet)
    return dlib_graph(module, spec)
