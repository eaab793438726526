"""A second look at pictures in which YuNet found no face: smoothed, small, and rolled.

Noise and the blocks of JPEG hide faces that a smoothed copy shows. A face that is rolled by 45
degrees lies between two directions, and is upright in a copy that is rolled back. A search by MTCNN
would be the alternative: `docs/photos.md` compares gain and cost of both.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from app.recognition.detect import yunet_faces
from app.recognition.detect.direction import UPRIGHT
from app.recognition.detect.found_faces import NO_FACES, FoundFaces, Picture
from app.recognition.detect.mtcnn.area import AreaSampler
from app.recognition.detect.mtcnn.boxes import FIRST_PIXEL, SAME_FACE, best_of_nested, sides
from app.recognition.detect.mtcnn.candidates import Candidates
from app.recognition.detect.mtcnn.directions import with_certainty
from app.recognition.detect.mtcnn.judge import direction_odds
from app.recognition.detect.resize import scaled
from app.recognition.detect.yunet_search import SURE_PX
from app.recognition.detect.yunet_squares import find_squares, locate_in_squares
from models.zoo.detectors.mtcnn import MtcnnNetworks
from models.zoo.detectors.yunet import YunetNetwork

ROLLS: Final = (0.0, 45.0, -45.0)
"""Degrees counterclockwise by which the copies are rolled."""

SIDE_PX: Final = 256
"""Longest side of a rolled copy. It bounds the cost of the second look: a tenth to a half of that
of the first."""

SMOOTHING_PX: Final = 1.5
"""Standard deviation of the Gaussian, in pixels of the picture."""

LEAST_BOX_SCORE: Final = 0.6
"""YuNet's score of a box, from which on the output network decides on it."""

LEAST_SCORE: Final = 0.9
"""Least score of the output network, also where a lower one is asked for."""


def find_faces(
    yunet: YunetNetwork,
    networks: MtcnnNetworks,
    pictures: Sequence[Picture],
    *,
    least_score: float,
) -> list[FoundFaces]:
    """Find the faces of several pictures by `yunet_faces`, and look again where there are none.

    The result for each picture is the same as for it alone; `least_score` is 0 to 1.
    """
    found = yunet_faces.find_faces(yunet, networks, pictures, least_score=least_score)
    empty = [place for place, faces in enumerate(found) if not len(faces)]
    again = look_again(yunet, networks, [pictures[i] for i in empty], least_score=least_score)
    for place, faces in zip(empty, again, strict=True):
        found[place] = faces
    return found


def look_again(
    yunet: YunetNetwork,
    networks: MtcnnNetworks,
    pictures: Sequence[Picture],
    *,
    least_score: float,
) -> list[FoundFaces]:
    """Find the faces of pictures in which none was found; each result is as for the picture alone.

    Faces may be upright or rolled by up to some 60 degrees. They are reported as upright, with
    rolled landmarks. Faces of less than 28 pixels in a copy may be missed.
    """
    looks = [look for place, picture in enumerate(pictures) for look in _looks(place, picture)]
    samplers = [AreaSampler(look.copy.pixels) for look in looks]
    squares = find_squares(
        yunet, [look.copy for look in looks], least_score=LEAST_BOX_SCORE, sizes=(1.0,)
    )
    located = locate_in_squares(
        networks, samplers, [Candidates.of(some, (UPRIGHT,)) for some, _ in squares]
    )
    least = max(least_score, LEAST_SCORE)
    found = [NO_FACES] * len(pictures)
    for look, sampler, faces in zip(looks, samplers, located, strict=True):
        good = faces.where(faces.scores >= least)
        if len(good):
            compare = partial(direction_odds, networks, sampler)
            judged = look.in_picture(with_certainty(good, compare, least_score=least))
            found[look.place] = found[look.place].and_also(judged)
    return [
        faces.where(best_of_nested(faces.boxes, faces.scores, most=SAME_FACE)) for faces in found
    ]


@dataclass(frozen=True, slots=True)
class _Look:
    """A rolled copy of the picture at `place`.

    `back` (2, 3) takes points of the copy to the picture, `growth` is the picture's size by that of
    the copy; coordinates are those of pixel centres.
    """

    place: int
    copy: Picture
    back: NDArray[np.float64]
    growth: float

    def in_picture(self, faces: FoundFaces) -> FoundFaces:
        """Faces of the copy in the picture, in squares of the same size around the same centres."""
        boxes = faces.boxes - FIRST_PIXEL
        centres = self._moved((boxes[:, :2] + boxes[:, 2:]) / 2 - 0.5) + 0.5
        halves = sides(boxes)[:, None] * self.growth / 2
        squares = np.concatenate([centres - halves, centres + halves], axis=1) + FIRST_PIXEL
        points = self._moved(faces.points.reshape(-1, 2)).reshape(-1, 5, 2)
        return FoundFaces(
            squares.astype(np.float32),
            faces.scores,
            points.astype(np.float32),
            faces.quarters,
            faces.clear,
            faces.places,
        )

    def _moved(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        return np.asarray(points @ self.back[:, :2].T + self.back[:, 2])


def _looks(place: int, picture: Picture) -> Iterator[_Look]:
    height, width = picture.pixels.shape[:2]
    factor = min(1.0, SIDE_PX * 2**0.5 / (width + height))
    smooth = np.asarray(cv2.GaussianBlur(picture.pixels, (0, 0), SMOOTHING_PX), dtype=np.uint8)
    small = scaled(smooth, factor)
    smallest_px = max(SURE_PX, picture.smallest_px * factor)
    per_axis = np.array([width / small.shape[1], height / small.shape[0]])
    for degrees in ROLLS:
        rolled, forth = _rolled(small, degrees)
        back = cv2.invertAffineTransform(forth) * per_axis[:, None]
        back[:, 2] += per_axis / 2 - 0.5
        yield _Look(place, Picture(rolled, smallest_px), back, 1 / factor)


def _rolled(
    pixels: NDArray[np.uint8], degrees: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The picture rolled counterclockwise, whole, on black; and the transform (2, 3) to it."""
    height, width = pixels.shape[:2]
    if not degrees:
        return pixels, np.eye(2, 3)
    radians = np.deg2rad(abs(degrees))
    across, down = np.cos(radians), np.sin(radians)
    size = ceil(width * across + height * down), ceil(width * down + height * across)
    forth = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    forth[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    return np.asarray(cv2.warpAffine(pixels, forth, size), dtype=np.uint8), np.asarray(forth)
