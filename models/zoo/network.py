"""Embedding networks: the description of each, and the protocol of a loaded one."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from models.evaluation.calibration.similarity_map import SimilarityMap
from models.zoo.serving.backends import Backend
from models.zoo.weights.distinctiveness import Distinctiveness

Crops = NDArray[np.uint8]
"""Aligned RGB crops, shape (N, H, W, 3)."""

Embeddings = NDArray[np.float32]
"""One row a face, shape (N, dimension)."""

Precision = Literal["float32", "float16", "bfloat16"]
"""Of the numbers that a network computes with; embeddings are float32."""

Template = tuple[
    tuple[float, float],
    tuple[float, float],
    tuple[float, float],
    tuple[float, float],
    tuple[float, float],
]
"""Where the five landmarks lie in a crop, as (x, y) in pixels.

Order: the eye on the left of the image, the eye on its right, nose, left and right mouth corner.
"""


@dataclass(frozen=True, slots=True)
class InputSpec:
    """The picture that a network was trained to see.

    `size_px` is the side of the square crop. A pixel p (0 to 255) of channel c enters the network
    as `(p - mean[c]) / std[c]`.
    """

    size_px: int
    template: Template
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, read: Mapping[str, Any]) -> "InputSpec":
        """The same from what `to_json` became in a file, where tuples are lists."""
        return cls(**{name: _as_tuples(value) for name, value in read.items()})


def _as_tuples(value: Any) -> Any:  # noqa: ANN401
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value


NOT_DOCUMENTED = "not documented"


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """A network as the service and its users know it.

    `dimension` is the length of an embedding; `mirror_average` says that the embedding of a crop
    and of its mirror image are averaged; `calibration` has the error rates of its similarities,
    with its published weights, and is None where they were not measured; `distinctiveness` is None
    likewise. `training_data` says what is known of the photos that the network was trained on.
    """

    name: str
    dimension: int
    input: InputSpec
    mirror_average: bool
    description: str
    license: str
    calibration: SimilarityMap | None = None
    distinctiveness: Distinctiveness | None = None
    training_data: str = NOT_DOCUMENTED


class Network(Protocol):
    """A loaded network: its spec, the SHA-256 of its weights, and its forward pass."""

    @property
    def spec(self) -> NetworkSpec: ...

    @property
    def digest(self) -> str:
        """SHA-256 of the weights file, in hexadecimal."""
        ...

    @property
    def device(self) -> str:
        """Where it runs: `cpu`, `cuda` or `mps`."""
        ...

    @property
    def runtime(self) -> Backend:
        """What runs it."""
        ...

    @property
    def precision(self) -> Precision:
        """What it computes with."""
        ...

    def forward(self, crops: Crops) -> Embeddings:
        """Embed crops of the network's own size, one row a crop, not normalised.

        Safe to call from several threads at once.
        """
        ...
