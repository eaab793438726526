"""Run a loaded module by what is fastest for it where it is to run."""

from torch import nn

from models.zoo.cpu_threads import CpuThreads
from models.zoo.dlib_resnet import DlibResNet
from models.zoo.network import Network, NetworkSpec
from models.zoo.torch_network import TorchNetwork


def serve(
    module: nn.Module,
    spec: NetworkSpec,
    digest: str,
    *,
    device: str,
    half: bool,
    threads: CpuThreads,
    onnx_runtime: bool,
) -> Network:
    """In ONNX Runtime if it is asked for and the network has been carried over to it, else in
    PyTorch; the options are those of `LoadOptions`."""
    if onnx_runtime and device == "cpu" and isinstance(module, DlibResNet):
        # Here, because ONNX Runtime is an optional package.
        from models.zoo.dlib_onnx import DlibOnnx  # noqa: PLC0415

        return DlibOnnx(spec, module, digest, threads=threads)
    return TorchNetwork(spec, module, digest, device=device, half=half)
