"""Turn aligned crops into unit-length embeddings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.recognition.types import ModelId, Pixels
from models.zoo.network import Network

_MAX_BATCH = 64  # crops in one forward pass, mirror images included; bounds the memory of a batch


@dataclass(frozen=True, slots=True)
class Embedded:
    """`rows` (N, dimension) are of unit length; `norms` (N,) are the Euclidean lengths that the
    network gave them."""

    rows: NDArray[np.float32]
    norms: NDArray[np.float32]


class NetworkEmbedder:
    """Embeds with a network of the zoo. Safe to call from several threads.

    `input` is the crop that the network takes; `distinctiveness` maps an embedding to a measure of
    the face's quality, None where that was not measured.

    If the network's spec says so, the embeddings of a crop and of its mirror image are averaged:
    faces are nearly symmetric, so this removes noise, most of all at low false match rates.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        spec = network.spec
        self.model = ModelId(spec.name, network.digest, spec.dimension)
        self.input = spec.input
        self.distinctiveness = spec.distinctiveness
        self._mirror = spec.mirror_average

    def embed(self, crops: Sequence[Pixels]) -> NDArray[np.float32]:
        """One unit-length row a crop, float32 (N, dimension)."""
        return self.embed_with_norms(crops).rows

    def embed_with_norms(self, crops: Sequence[Pixels]) -> Embedded:
        """The rows of `embed`, and the lengths by which they were divided.

        Raises FloatingPointError for a row of zeros, or with values that are not finite.
        """
        if not crops:
            nothing = np.empty((0, self.model.dimension), dtype=np.float32)
            return Embedded(nothing, np.empty(0, dtype=np.float32))
        step = _MAX_BATCH // 2 if self._mirror else _MAX_BATCH
        rows = [self._raw(np.stack(crops[i : i + step])) for i in range(0, len(crops), step)]
        return unit_length(np.concatenate(rows))

    def _raw(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        if not self._mirror:
            return self._network.forward(batch)
        both = np.concatenate([batch, batch[:, :, ::-1]])
        straight, mirrored = np.split(self._network.forward(both), 2)
        return np.asarray((straight + mirrored) / 2, dtype=np.float32)


def unit_length(raw: NDArray[np.float32]) -> Embedded:
    """Divide rows (N, dimension) by their lengths. Raises FloatingPointError as `embed_with_norms`
    does."""
    norms = np.linalg.norm(raw, axis=1)
    if not np.isfinite(norms).all() or (norms == 0).any():
        # A NaN in the gallery would match nobody and everybody.
        raise FloatingPointError("the network gave an embedding without a direction")
    return Embedded(np.asarray(raw / norms[:, None], dtype=np.float32), norms)
