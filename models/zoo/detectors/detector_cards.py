"""What is known of each face detector: source, licence, training data, what its score means."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class DetectorCard:
    """The description of a detector.

    `digest` is the SHA-256 of its weights: of the file, or of all files one after another.
    `score` says what the reported score (0 to 1) means. `finds_landmarks` is whether the reported
    landmarks are the detector's own; else MTCNN's output network finds them in the detector's
    boxes.
    """

    name: str
    description: str
    license: str
    source: str
    training_data: str
    score: str
    digest: str
    finds_landmarks: bool


MTCNN: Final = DetectorCard(
    name="mtcnn",
    description="MTCNN, a cascade of three networks (Zhang et al., 2016)",
    license="MIT",
    source="package facenet-pytorch, pnet.pt, rnet.pt and onet.pt",
    training_data="WIDER FACE and CelebA",
    score="probability of a face, by MTCNN's output network",
    digest="743721dfef3c9612636462a252c4e3d23c1fab4031274a9692fe3c587dbf1fe5",
    finds_landmarks=True,
)

DETECTOR_CARDS: Final[Mapping[str, DetectorCard]] = MappingProxyType(
    {card.name: card for card in (MTCNN,)}
)
"""By name. A name here has an entry in the service's registry of detectors."""
