"""Counts of the faces that detectors find in photos that were damaged or rolled on purpose."""

from collections.abc import Mapping, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from app.recognition.detect import yunet_faces
from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.detect.detector_registry import DetectorOptions, load_mtcnn_networks
from app.recognition.detect.found_faces import FoundFaces, Picture
from app.recognition.detect.mtcnn import search as mtcnn
from app.recognition.types import DetectedFace, Pixels
from app.settings import Settings
from benchmarks.accuracy.damage.bad_photos import BAD_PHOTOS
from benchmarks.kit.boxes import ious
from models.zoo.detectors.yunet_onnx import open_yunet
from models.zoo.detectors.yunet_weights import load_yunet
from models.zoo.serving.cpu_threads import CpuThreads

_DAMAGES: Final = (
    "noise of 40",
    "noise of 60",
    "JPEG 3",
    "night, 20 % light",
    "night, 12 % light",
    "flat",
    "blur of 6",
    "blur of 8",
)
_ROLLS: Final = (30, -30, 45, -45)
Box = NDArray[np.floating]

_LEAST_SCORE: Final = 0.9
_LEAST_IOU: Final = 0.3
_SEED: Final = 0


def without_second_look(settings: Settings) -> dict[str, CopyingDetector]:
    """The ways that `yunet` could go where its first look finds nothing: stop, or ask MTCNN."""
    options = DetectorOptions(
        device="cpu",
        onnx_runtime=True,
        threads=CpuThreads(1, 1),
        weights_dir=settings.resolved_weights_dir,
    )
    networks = load_mtcnn_networks(options)
    yunet = open_yunet(load_yunet(), threads=options.threads)

    def once(pictures: Sequence[Picture], *, least_score: float) -> list[FoundFaces]:
        return yunet_faces.find_faces(yunet, networks, pictures, least_score=least_score)

    def then_mtcnn(pictures: Sequence[Picture], *, least_score: float) -> list[FoundFaces]:
        found = once(pictures, least_score=least_score)
        for place, picture in enumerate(pictures):
            if not len(found[place]):
                (found[place],) = mtcnn.find_faces(networks, [picture], least_score=least_score)
        return found

    return {
        name: CopyingDetector(
            find,
            networks,
            min_score=_LEAST_SCORE,
            max_side_px=settings.detector.max_side_px,
            min_face_size_px=settings.detector.min_face_size_px,
        )
        for name, find in (("yunet, one look", once), ("yunet, then mtcnn", then_mtcnn))
    }


def found_in_damaged(
    detectors: Mapping[str, CopyingDetector],
    photos: Sequence[Pixels],
    faces: Sequence[DetectedFace],
) -> dict[str, dict[str, int]]:
    """Count the known faces that each detector finds, by kind of damage."""
    counted: dict[str, dict[str, int]] = {}
    for kind in _DAMAGES:
        rng = np.random.default_rng(_SEED)
        counted[kind] = dict.fromkeys(detectors, 0)
        for photo, face in zip(photos, faces, strict=True):
            bad = np.ascontiguousarray(BAD_PHOTOS[kind](photo, face.landmarks, rng))
            _count(counted[kind], detectors, bad, np.array(face.box))
    for degrees in _ROLLS:
        kind = f"rolled by {degrees}"
        counted[kind] = dict.fromkeys(detectors, 0)
        for photo, face in zip(photos, faces, strict=True):
            height, width = photo.shape[:2]
            turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
            rolled = np.asarray(cv2.warpAffine(photo, turn, (width, height)), dtype=np.uint8)
            x1, y1, x2, y2 = face.box
            centre = turn[:, :2] @ np.array([(x1 + x2) / 2, (y1 + y2) / 2]) + turn[:, 2]
            half = max(x2 - x1, y2 - y1) / 2
            box = np.concatenate([centre - half, centre + half])
            _count(counted[kind], detectors, rolled, box)
    return counted


def _count(
    counted: dict[str, int], detectors: Mapping[str, CopyingDetector], photo: Pixels, box: Box
) -> None:
    for name, detector in detectors.items():
        found = detector.detect(photo)
        counted[name] += any(float(ious([one.box], [box])[0, 0]) > _LEAST_IOU for one in found)
