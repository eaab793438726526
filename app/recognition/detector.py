"""Find faces and their five landmarks with MTCNN."""

from typing import Protocol

import cv2
import numpy as np
import torch
from facenet_pytorch import MTCNN
from facenet_pytorch.models.utils.detect_face import detect_face
from numpy.typing import NDArray

from app.recognition.types import Box, DetectedFace, Pixels

_SMALLEST_IN_COPY_PX = 20  # below, MTCNN finds little but noise, and the pyramid's cost explodes
_WINDOW_PX = 12.0  # side of the first network's receptive field


class Detector(Protocol):
    def detect(self, photo: Pixels) -> tuple[DetectedFace, ...]:
        """Faces of an upright RGB photo, largest first; empty when there are none.

        Safe to call from several threads at once.
        """
        ...


class MtcnnDetector:
    """facenet-pytorch's MTCNN (Zhang et al., 2016) on a copy of limited size.

    `max_side_px` bounds the copy's longest side: the image pyramid is what a detection costs.
    `min_face_size_px` is the smallest face looked for, in pixels of the photo; where the copy is
    much smaller than the photo, faces below 20 px of the copy are not looked for either.
    `min_score` (0 to 1) is the least probability that is reported as a face.
    """

    def __init__(
        self, *, device: str, max_side_px: int, min_face_size_px: int, min_score: float
    ) -> None:
        self._device = torch.device(device)
        self._max_side_px = max_side_px
        self._min_face_size_px = min_face_size_px
        self._min_score = min_score
        self._mtcnn = MTCNN(keep_all=True, device=self._device).eval()

    def detect(self, photo: Pixels) -> tuple[DetectedFace, ...]:
        copy, factor = self._shrunk(photo)
        smallest = max(self._min_face_size_px * factor, float(_SMALLEST_IN_COPY_PX))
        # Computed as the library does: its pyramid would be empty, and it raises on that.
        if min(copy.shape[:2]) * (_WINDOW_PX / smallest) < _WINDOW_PX:
            return ()
        boxes, landmarks = self._run(copy, smallest)
        per_axis = np.array(
            [photo.shape[1] / copy.shape[1], photo.shape[0] / copy.shape[0]], dtype=np.float32
        )
        found = []
        for box, points in zip(boxes, landmarks, strict=True):
            clipped = _clip(box[:4], per_axis, photo.shape)
            if clipped is None or box[4] < self._min_score:
                continue
            if not np.ptp(points, axis=0).all():
                continue  # landmarks that fell together give no direction to turn the face by
            upright = (points + 0.5) * per_axis - 0.5  # pixel centres
            found.append(DetectedFace(clipped, upright, float(box[4])))
        found.sort(key=lambda face: face.area_px, reverse=True)
        return tuple(found)

    def _run(
        self, copy: Pixels, smallest_px: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Boxes with scores, (N, 5), and landmarks, (N, 5, 2), in pixels of the copy.

        Calls the function under `MTCNN.detect`, which takes the smallest face as an argument: on
        the object it would be state that concurrent calls share.
        """
        with torch.no_grad():
            boxes, landmarks = detect_face(
                copy,
                smallest_px,
                self._mtcnn.pnet,
                self._mtcnn.rnet,
                self._mtcnn.onet,
                self._mtcnn.thresholds,
                self._mtcnn.factor,
                self._device,
            )
        return (
            np.asarray(boxes[0], dtype=np.float32).reshape(-1, 5),
            np.asarray(landmarks[0], dtype=np.float32).reshape(-1, 5, 2),
        )

    def _shrunk(self, photo: Pixels) -> tuple[Pixels, float]:
        """The copy that is searched, and its scale relative to the photo."""
        height, width = photo.shape[:2]
        factor = self._max_side_px / max(height, width)
        if factor >= 1.0:
            return photo, 1.0
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        copy = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
        return np.asarray(copy, dtype=np.uint8), factor


def _clip(
    box: NDArray[np.float32], per_axis: NDArray[np.float32], shape: tuple[int, ...]
) -> Box | None:
    """The part of a box inside the photo, or None when nothing of it is."""
    x1, x2 = np.clip(box[[0, 2]] * per_axis[0], 0, shape[1])
    y1, y2 = np.clip(box[[1, 3]] * per_axis[1], 0, shape[0])
    if x1 >= x2 or y1 >= y2:
        return None
    return float(x1), float(y1), float(x2), float(y2)
