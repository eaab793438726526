"""The choice of the fastest runtime for a network on a device."""

from pathlib import Path

from models.zoo.errors import RuntimeUnusableError, WeightsError, WeightsMissingError
from models.zoo.network import Network, NetworkSpec
from models.zoo.serving.backends import Backend, choose_backend, missing_packages
from models.zoo.serving.graph_network import GraphNetwork, GraphSession
from models.zoo.serving.onnx_session import OnnxRuntimeSession, runtime, save_optimised
from models.zoo.serving.openvino_session import OpenVinoSession
from models.zoo.serving.prepared_graph import PreparedGraph, prepared_key
from models.zoo.serving.run_options import RunOptions
from models.zoo.serving.servable import ServableNetwork


def serve(
    servable: ServableNetwork, spec: NetworkSpec, digest: str, options: RunOptions
) -> Network:
    """A `Network`, in the backend that follows from `options` and the forms of the network.

    Raises RuntimeUnusableError where that backend does not work on this machine, and
    WeightsMissingError where it is not installed.
    """
    if options.device == "cpu":
        backend = choose_backend(options.backend, servable.backends(options))
        if backend != "torch":
            try:
                session = _open(servable, spec, digest, backend, options)
            except WeightsError:
                raise
            except Exception as error:  # exceptions of runtimes share no base
                raise RuntimeUnusableError(
                    f"{backend} cannot run {spec.name} on this machine: {error}", option="backend"
                ) from error
            return GraphNetwork(spec, digest, session)
    require_torch(spec.name)
    # Imported here, because a service on a CPU does not need PyTorch.
    from models.zoo.serving.torch_network import TorchNetwork  # noqa: PLC0415

    module = servable.module()
    return TorchNetwork(spec, module, digest, device=options.device, half=options.half)


def _open(
    servable: ServableNetwork, spec: NetworkSpec, digest: str, backend: Backend, options: RunOptions
) -> GraphSession:
    if backend == "onnxruntime" and options.prepared_dir is not None:
        form = f"{spec.name} {backend} {runtime().__version__}"
        prepared = PreparedGraph(options.prepared_dir, spec.name, prepared_key(digest, form))
        graph = prepared.find() or prepared.make(
            lambda path, weights: save_optimised(servable.graph(spec, backend), path, weights)
        )
        if graph is not None:
            return OnnxRuntimeSession(graph, options, optimised=True)
    return open_graph(servable.graph(spec, backend), backend, options)


def require_torch(name: str) -> None:
    """Raises WeightsMissingError where PyTorch is not installed, which the network `name` needs."""
    if missing_packages("torch"):
        raise WeightsMissingError(
            f"the network {name} runs in PyTorch here, which is not installed; run: pip install "
            "'vultus[gpu]'"
        )


def open_graph(graph: Path | bytes, backend: Backend, options: RunOptions) -> GraphSession:
    """A session of a backend other than `torch`.

    Raises WeightsMissingError where it is not installed, and the backend's errors for a graph that
    it cannot run.
    """
    if backend == "openvino":
        return OpenVinoSession(graph, options)
    return OnnxRuntimeSession(graph, options)
