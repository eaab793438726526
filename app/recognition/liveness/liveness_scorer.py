"""Liveness scores of faces in a photo, by one network or the mean of several."""

import hashlib
from collections.abc import Sequence

import numpy as np

from app.recognition.liveness.liveness_crop import cut_surroundings
from app.recognition.types import DetectedFace, Liveness, Pixels
from models.zoo.networks.liveness import LivenessNetwork

FaceCrops = list[Pixels]
"""The crops of one face, one for each network."""


class LivenessScorer:
    """Scores the liveness of faces. Safe to call from several threads.

    `threshold` is the least score (0 to 1) that counts as live, None without one.
    """

    def __init__(self, networks: Sequence[LivenessNetwork], threshold: float | None = None) -> None:
        self._networks = tuple(networks)
        self.threshold = threshold

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(network.name for network in self._networks)

    @property
    def digest(self) -> str:
        """SHA-256 of the weights of all networks, in any order; scores depend on them alone."""
        digests = sorted(network.digest for network in self._networks)
        if len(digests) == 1:
            return digests[0]
        return hashlib.sha256("".join(digests).encode()).hexdigest()

    def cut(self, photo: Pixels, face: DetectedFace) -> FaceCrops:
        """Cut the crops of a face, whose box is in pixels of this photo."""
        return [
            cut_surroundings(
                photo, face, scale=network.card.crop_scale, size_px=network.card.size_px
            )
            for network in self._networks
        ]

    def score(self, faces: Sequence[FaceCrops]) -> list[Liveness]:
        """The mean score of all networks for each face."""
        if not faces:
            return []
        columns = [
            network.scores(np.stack([crops[place] for crops in faces]))
            for place, network in enumerate(self._networks)
        ]
        return [Liveness(float(mean), self.threshold) for mean in np.mean(columns, axis=0)]

    def try_networks(self) -> None:
        """Run each network once."""
        for network in self._networks:
            side = network.card.size_px
            network.scores(np.zeros((1, side, side, 3), dtype=np.uint8))
