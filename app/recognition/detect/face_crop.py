"""The face of a photo that is a crop of one: nothing is searched, only its landmarks are found.

How much of the photo the face fills is not known: crops of detectors have margins of any width, and
crops that are aligned for a network have none. So MTCNN's output network sees squares of several
sizes around the centre, and the best score decides. Measured with 60 photos of Labeled Faces in the
Wild, whose faces were cut out with margins of 0 to 60 % of the box and as ArcFace's crop: by sface,
embeddings have a mean cosine of 0.92 to 0.99 with those of the whole photos. For ArcFace's crop and
boxes without a margin, that is more than by a search in the crop.
"""

from functools import partial
from math import ceil
from typing import Final

import cv2
import numpy as np

from app.recognition.detect.direction import OTHERS, UPRIGHT
from app.recognition.detect.found_faces import NO_FACES, FoundFaces
from app.recognition.detect.mtcnn.area import AreaSampler
from app.recognition.detect.mtcnn.boxes import FIRST_PIXEL, Boxes
from app.recognition.detect.mtcnn.candidates import Candidates
from app.recognition.detect.mtcnn.directions import best_directions, with_certainty
from app.recognition.detect.mtcnn.judge import direction_odds, locate
from app.recognition.detect.resize import scaled
from app.recognition.types import DetectedFace, Direction, Pixels
from models.zoo.detectors.mtcnn import MtcnnNetworks

_SIZES: Final = (1.2, 1.0, 0.85, 0.7, 0.55)
"""Sides of the squares, by the longer side of the photo."""

_SIDE_PX: Final = 256
"""Longest side of the copy that is looked at: the network sees 48 pixels of its square."""


def face_of_crop(networks: MtcnnNetworks, photo: Pixels) -> tuple[DetectedFace, ...]:
    """The face that fills an upright RGB photo; its box is the whole photo.

    `score` is the output network's (0 to 1), and low where it sees no face. There is none only if
    the landmarks are at one point.
    """
    height, width = photo.shape[:2]
    copy = scaled(photo, min(1.0, _SIDE_PX / max(height, width)))
    margin = ceil(max(copy.shape[:2]) * max(_SIZES))
    padded = np.asarray(
        cv2.copyMakeBorder(copy, margin, margin, margin, margin, cv2.BORDER_REPLICATE),
        dtype=np.uint8,
    )
    found = _best(networks, padded, _squares(copy, margin))
    if not len(found) or not np.ptp(found.points[0], axis=0).all():
        return ()
    per_axis = np.array([width / copy.shape[1], height / copy.shape[0]], dtype=np.float32)
    return (
        DetectedFace(
            (0.0, 0.0, float(width), float(height)),
            ((found.points[0] - margin + 0.5) * per_axis - 0.5).astype(np.float32),
            float(found.scores[0]),
            Direction(90 * int(found.quarters[0])) if found.clear[0] else None,
        ),
    )


def _squares(copy: Pixels, margin: int) -> Boxes:
    """The squares around the centre of the copy, in pixels of the padded copy."""
    height, width = copy.shape[:2]
    centre = np.array([width, height]) / 2 + margin
    halves = max(height, width) * np.array(_SIZES)[:, None] / 2
    return (
        np.concatenate([centre - halves, centre + halves], axis=1, dtype=np.float32) + FIRST_PIXEL
    )


def _best(networks: MtcnnNetworks, padded: Pixels, squares: Boxes) -> FoundFaces:
    """The face in its best square and direction; at most one."""
    sampler = AreaSampler(padded)
    compare = partial(direction_odds, networks, sampler)
    upright = with_certainty(
        _best_square(networks, sampler, squares, UPRIGHT), compare, least_score=0.0
    )
    if len(upright) and upright.clear.all():
        return upright
    turned = NO_FACES
    for direction in OTHERS:
        turned = turned.and_also(_best_square(networks, sampler, squares, direction))
    every = best_directions(upright, turned, compare, least_score=0.0, least_turned=0.0)
    return every.where(np.arange(len(every))[:1])


def _best_square(
    networks: MtcnnNetworks, sampler: AreaSampler, squares: Boxes, direction: int
) -> FoundFaces:
    (found,) = locate(networks, [sampler], [Candidates.of(squares, (direction,))], least_score=0.0)
    return found.where(np.argsort(-found.scores, kind="stable")[:1])
