"""The choice of the fastest runtime for a network on a device."""

from collections.abc import Sequence
from pathlib import Path

from torch import nn

from models.zoo.errors import RuntimeUnusableError
from models.zoo.network import Network, NetworkSpec
from models.zoo.networks.dlib_resnet import DlibResNet
from models.zoo.networks.sface import SFace
from models.zoo.serving.backends import Backend, choose_backend
from models.zoo.serving.graph_network import GraphNetwork, GraphSession
from models.zoo.serving.onnx_session import OnnxRuntimeSession
from models.zoo.serving.openvino_session import OpenVinoSession, computes_bfloat16
from models.zoo.serving.run_options import RunOptions
from models.zoo.serving.torch_network import TorchNetwork


def serve(module: nn.Module, spec: NetworkSpec, digest: str, options: RunOptions) -> Network:
    """The module as a `Network`, in the backend that follows from `options` and its forms.

    Raises RuntimeUnusableError where that backend does not work on this machine.
    """
    if options.device == "cpu":
        backend = choose_backend(options.backend, _forms(module, options))
        if backend != "torch":
            graph = _graph(module, spec, backend)
            try:
                session = open_graph(graph, backend, options)
            except Exception as error:  # exceptions of runtimes share no base
                raise RuntimeUnusableError(
                    f"{backend} cannot run {spec.name} on this machine: {error}", option="backend"
                ) from error
            return GraphNetwork(spec, digest, session)
    return TorchNetwork(spec, module, digest, device=options.device, half=options.half)


def open_graph(graph: Path | bytes, backend: Backend, options: RunOptions) -> GraphSession:
    """A session of a backend other than `torch`.

    Raises WeightsMissingError where it is not installed, and the backend's errors for a graph that
    it cannot run.
    """
    if backend == "openvino":
        return OpenVinoSession(graph, options)
    return OnnxRuntimeSession(graph, options)


def _forms(module: nn.Module, options: RunOptions) -> Sequence[Backend]:
    """The backends that a network can run in, fastest first (`benchmarks/speed/runtimes.py`)."""
    if isinstance(module, SFace):
        return ("openvino", "onnxruntime", "torch")
    if isinstance(module, DlibResNet):
        # OpenVINO is loaded only where the answer matters, since loading it is slow.
        if options.backend == "auto" and options.half and computes_bfloat16():
            return ("openvino", "onnxruntime", "torch")
        return ("onnxruntime", "openvino", "torch")  # in float32, ONNX Runtime is faster
    return ("torch",)


def _graph(module: nn.Module, spec: NetworkSpec, backend: Backend) -> bytes:
    # Imported here, because they need the optional package `onnx`.
    if isinstance(module, SFace):
        from models.zoo.networks.sface_onnx import sface_graph  # noqa: PLC0415

        return sface_graph(module, spec, split_prelu=backend == "onnxruntime")
    from models.zoo.networks.dlib_onnx import dlib_graph  # noqa: PLC0415

    assert isinstance(module, DlibResNet)
    return dlib_graph(module, spec)
