"""What a network must offer to be served: its forms, each made when it is needed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from models.zoo.network import NetworkSpec
from models.zoo.serving.backends import Backend
from models.zoo.serving.run_options import RunOptions

if TYPE_CHECKING:
    from torch import nn


class ServableNetwork(Protocol):
    """The weights of a network, of which its form for each backend is made.

    PyTorch is imported where `module` is called, and not before.
    """

    def backends(self, options: RunOptions, /) -> Sequence[Backend]:
        """The backends that the network can run in, fastest first
        (`benchmarks/speed/runtimes.py`)."""
        ...

    def graph(self, spec: NetworkSpec, backend: Backend, /) -> bytes:
        """The content of an .onnx file for a backend other than `torch`."""
        ...

    def module(self) -> "nn.Module":
        """The module in PyTorch, ready to serve."""
        ...


@dataclass(frozen=True, slots=True)
class Later:
    """A network whose weights are converted when a form of it is made, and not before.

    A service that has its graph from an earlier start needs none. `forms`: its backends, fastest
    first.
    """

    make: Callable[[], ServableNetwork]
    forms: Sequence[Backend]

    def backends(self, _: RunOptions, /) -> Sequence[Backend]:
        return self.forms

    def graph(self, spec: NetworkSpec, backend: Backend, /) -> bytes:
        return self.make().graph(spec, backend)

    def module(self) -> "nn.Module":
        return self.make().module()


@dataclass(frozen=True, slots=True)
class TorchOnly:
    """A network that runs in PyTorch alone; `make` builds its module."""

    make: Callable[[], "nn.Module"]

    def backends(self, _: RunOptions, /) -> Sequence[Backend]:
        return ("torch",)

    def graph(self, spec: NetworkSpec, backend: Backend, /) -> bytes:
        raise NotImplementedError(f"{spec.name} has no form for {backend}")

    def module(self) -> "nn.Module":
        return self.make()
