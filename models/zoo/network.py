"""Embedding networks: the description of each, and the protocol of a loaded one."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from models.evaluation.calibration.similarity_map import SimilarityMap
from models.zoo.names import Colours, Triple
from models.zoo.serving.backends import Backend
from models.zoo.weights.distinctiveness import Distinctiveness

Crops = NDArray[np.uint8]
"""Aligned RGB crops, shape (N, H, W, 3)."""

Embeddings = NDArray[np.float32]
"""One row for each face, shape (N, dimension)."""

Precision = Literal["float32", "float16", "bfloat16"]
"""The format of numbers in a network; embeddings are float32."""

Template = tuple[
    tuple[float, float],
    tuple[float, float],
    tuple[float, float],
    tuple[float, float],
    tuple[float, float],
]
"""The positions of the five landmarks in a crop, as (x, y) in pixels.

Order: the eye on the left of the image, the eye on its right, nose, left and right mouth corner.
"""


@dataclass(frozen=True, slots=True)
class InputSpec:
    """The crop that a network was trained on.

    `size_px` is the side of the square crop. A pixel p (0 to 255) of channel c enters the network
    as `(p - mean[c]) / std[c]`.
    """

    size_px: int
    template: Template
    mean: Triple
    std: Triple


def as_input(pictures: Crops, mean: Triple, std: Triple, colours: Colours) -> NDArray[np.float32]:
    """RGB pictures (..., 3) as a network takes them: (pixel - mean) / std, in its colour order."""
    ordered = pictures[..., ::-1] if colours == "bgr" else pictures
    shift, scale = np.asarray([mean, std], dtype=np.float32)
    return np.asarray((ordered.astype(np.float32) - shift) / scale)


NOT_DOCUMENTED = "not documented"


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """The description of a network.

    `dimension` is the length of an embedding. With `mirror_average`, the embeddings of a crop and
    of its mirror image are averaged. `calibration` has the error rates of similarities, and
    `distinctiveness` the quality measure; None where they were not measured. `training_data`
    describes the photos that the network was trained on.
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

    spec: NetworkSpec
    digest: str
    """SHA-256 of the weights file, in hexadecimal."""
    device: str
    """`cpu`, `cuda` or `mps`."""
    runtime: Backend
    precision: Precision

    def forward(self, crops: Crops) -> Embeddings:
        """Embed crops of the network's size: one row for each crop, not normalised.

        Safe to call from several threads at once.
        """
        ...
