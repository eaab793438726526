"""A network that was converted to a graph, in any runtime."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.zoo.network import Crops, Embeddings, NetworkSpec, Precision
from models.zoo.serving.backends import Backend


class GraphSession(Protocol):
    """A graph with one input, ready to run; several threads may call `run` at once."""

    runtime: Backend
    precision: Precision
    device: str
    """`cpu` or `cuda`."""
    input_shape: list[Any]
    """The shape of the input; a fixed length is an integer."""
    metadata: Mapping[str, str]
    """The metadata entries of the graph's file."""

    def run(self, x: NDArray[np.generic]) -> NDArray[np.float32]:
        """The first output."""
        ...


class GraphNetwork:
    """A `Network` whose graph maps crops as uint8 (N, side, side, 3) to embeddings.

    The digest is that of the weights, so that embeddings can be compared with PyTorch's. In float32
    they differ by rounding, less than 1e-5 in each value.
    """

    def __init__(self, spec: NetworkSpec, digest: str, session: GraphSession) -> None:
        self.spec = spec
        self.digest = digest
        self.device = session.device
        self.runtime = session.runtime
        self.precision = session.precision
        self._session = session

    def forward(self, crops: Crops) -> Embeddings:
        return self._session.run(crops)
