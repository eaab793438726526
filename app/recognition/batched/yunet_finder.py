"""Faces of many pictures by YuNet's boxes, as `detect/yunet_faces.py` finds those of one.

The pixels stay on the device. Boxes and scores, which are few, are decided on by NumPy, those of
all pictures at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from app.recognition.batched.judge import Judge, Network
from app.recognition.batched.pictures import Pictures, canvas_side
from app.recognition.batched.rolled_copies import roll
from app.recognition.batched.yunet_boxes import FoundBoxes, Regions, YunetBoxes
from app.recognition.detect.direction import OTHERS
from app.recognition.detect.found_faces import FoundFaces, Picture
from app.recognition.detect.mtcnn.boxes import (
    SAME_FACE,
    Boxes,
    Scores,
    best_of_nested_apart,
    shares,
    sides,
)
from app.recognition.detect.mtcnn.directions import best_directions, with_certainty
from app.recognition.detect.second_look import LEAST_BOX_SCORE
from app.recognition.detect.second_look import LEAST_SCORE as LEAST_SECOND_SCORE
from app.recognition.detect.yunet_faces import (
    AROUND,
    LEAST_SCORE,
    LEAST_TURNED,
    LEAST_TURNED_SCORE,
    MOST_REGIONS,
    SIDE_BESIDE,
    WORTH_A_LOOK,
)
from app.recognition.detect.yunet_search import SURE_PX
from app.recognition.detect.yunet_squares import squares_of

_MOST_PIXELS: Final = 64_000_000
"""Pixels of the canvases of pictures that are on a device at once; each takes 15 bytes, and about
as many while the sums are made."""

Places = NDArray[np.int64]
Floats = NDArray[np.float64]


class YunetFinder:
    """Finds the faces of many pictures on a device; it is a `FindFaces`.

    `judge` is MTCNN's output network on that device.
    """

    def __init__(self, yunet: YunetBoxes, judge: Network, *, device: torch.device) -> None:
        self._yunet = yunet
        self._network = judge
        self._device = device

    def __call__(self, pictures: Sequence[Picture], *, least_score: float) -> list[FoundFaces]:
        """The faces of each picture; the result for each is the same as for it alone."""
        found: list[FoundFaces] = []
        for some in _in_pieces(pictures):
            found += self._faces_of(some, least_score)
        return found

    def _faces_of(self, pictures: Sequence[Picture], least_score: float) -> list[FoundFaces]:
        smallest = np.array([picture.smallest_px for picture in pictures], dtype=np.float64)
        with torch.inference_mode():
            uploaded = Pictures.uploaded([picture.pixels for picture in pictures], self._device)
            faces = self._find(uploaded, smallest, least_score)
            (empty,) = np.nonzero(np.bincount(faces.places, minlength=len(pictures)) == 0)
            if len(empty):
                faces = faces.and_also(self._look_again(uploaded, empty, smallest, least_score))
        order = np.argsort(faces.places, kind="stable")
        bounds = np.searchsorted(faces.places[order], np.arange(1, len(pictures)))
        return [faces.where(some) for some in np.split(order, bounds)]

    def _find(self, pictures: Pictures, smallest: Floats, least_score: float) -> FoundFaces:
        judge = Judge(self._network, pictures)
        everywhere = Regions.whole(pictures.sizes, np.arange(len(pictures)), smallest)
        boxes = self._yunet.find(pictures, everywhere, least_score=WORTH_A_LOOK)
        squares = _Squares.of(boxes, everywhere)
        likely = squares.where(squares.scores >= LEAST_SCORE)
        upright = with_certainty(_located(judge, likely), judge.odds, least_score=least_score)
        faces = upright.where(upright.scores >= least_score)
        regions = _doubtful(everywhere, faces).and_also(
            _around(_unexplained(squares, faces, len(pictures)), pictures)
        )
        turned = self._turned(pictures, regions, judge, upright)
        return best_directions(
            upright, turned, judge.odds, least_score=least_score, least_turned=LEAST_TURNED
        )

    def _turned(
        self, pictures: Pictures, regions: Regions, judge: Judge, upright: FoundFaces
    ) -> FoundFaces:
        """The faces in the other directions, where no face is certainly upright."""
        boxes = self._yunet.find(
            pictures, regions, least_score=LEAST_TURNED_SCORE, directions=OTHERS
        )
        squares = _Squares.of(boxes, regions)
        return _located(judge, squares.where(~squares.show(upright.where(upright.clear))))

    def _look_again(
        self, pictures: Pictures, empty: Places, smallest: Floats, least_score: float
    ) -> FoundFaces:
        """Find the faces of pictures in which none was found, as `detect/second_look.py`."""
        rolled = roll(pictures, empty, smallest[empty])
        judge = Judge(self._network, rolled.pictures)
        everywhere = Regions.whole(
            rolled.pictures.sizes, np.arange(len(rolled.pictures)), rolled.smallest_px
        )
        boxes = self._yunet.find(
            rolled.pictures, everywhere, least_score=LEAST_BOX_SCORE, sizes=(1.0,)
        )
        located = _located(judge, _Squares.of(boxes, everywhere))
        least = max(least_score, LEAST_SECOND_SCORE)
        good = located.where(located.scores >= least)
        faces = rolled.in_pictures(with_certainty(good, judge.odds, least_score=least))
        kept = best_of_nested_apart(faces.boxes, faces.scores, faces.places, most=SAME_FACE)
        return faces.where(kept)


def _in_pieces(pictures: Sequence[Picture]) -> list[list[Picture]]:
    """The pictures in order, as many together as have a place on the device."""
    pieces: list[list[Picture]] = []
    left = 0
    for picture in pictures:
        height, width = picture.pixels.shape[:2]
        area = canvas_side(width) * canvas_side(height)
        if area > left:
            pieces.append([])
            left = _MOST_PIXELS
        pieces[-1].append(picture)
        left -= area
    return pieces


@dataclass(frozen=True, slots=True)
class _Squares:
    """The output network's squares of boxes that are not too small, with YuNet's scores."""

    boxes: Boxes
    scores: Scores
    places: Places
    quarters: Places

    @classmethod
    def of(cls, found: FoundBoxes, regions: Regions) -> "_Squares":
        smallest = regions.smallest_px[found.regions].astype(np.float32)
        boxes, large = squares_of(found.boxes, smallest, found.quarters)
        places = regions.places[found.regions]
        return cls(boxes[large], found.scores[large], places[large], found.quarters[large])

    def where(self, chosen: NDArray[Any]) -> "_Squares":
        """The squares of a mask, or at these places in their order."""
        return _Squares(
            self.boxes[chosen], self.scores[chosen], self.places[chosen], self.quarters[chosen]
        )

    def show(self, faces: FoundFaces) -> NDArray[np.bool_]:
        """Return which of them (N,) show one of the faces."""
        same = shares(self.boxes, faces.boxes) >= SAME_FACE
        return np.asarray((same & (self.places[:, None] == faces.places)).any(axis=1))


def _doubtful(everywhere: Regions, faces: FoundFaces) -> Regions:
    """All of the pictures in which there is no face, or one that is not certainly upright."""
    count = len(everywhere)
    clear = np.bincount(faces.places[faces.clear], minlength=count)
    some = np.bincount(faces.places, minlength=count)
    (open_places,) = np.nonzero((some == 0) | (clear < some))
    return Regions(
        everywhere.places[open_places],
        everywhere.corners[open_places],
        everywhere.smallest_px[open_places],
        everywhere.factors[open_places],
    )


def _unexplained(squares: _Squares, faces: FoundFaces, count: int) -> _Squares:
    """The largest squares beside the faces of pictures whose faces are all certainly upright."""
    largest = np.zeros(count, dtype=np.float32)
    np.maximum.at(largest, faces.places, sides(faces.boxes))
    largest[faces.places[~faces.clear]] = 0
    least = SIDE_BESIDE * largest[squares.places]
    large = squares.where((least > 0) & (sides(squares.boxes) >= least))
    apart = large.where(~large.show(faces))
    order = np.lexsort((-sides(apart.boxes), apart.places))
    firsts = np.searchsorted(apart.places[order], apart.places[order])
    return apart.where(order[np.arange(len(order)) - firsts < MOST_REGIONS])


def _around(squares: _Squares, pictures: Pictures) -> Regions:
    """The surroundings of squares, reduced so far that a face in the square is surely found."""
    boxes, places = squares.boxes, squares.places
    side = (boxes[:, 2] - boxes[:, 0]).astype(np.float64)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    reach = side[:, None] * AROUND / 2
    sizes = pictures.sizes[places]
    begin = np.minimum(np.maximum(0, (centres - reach).astype(np.int64)), sizes - 1)
    end = np.minimum(np.maximum(begin + 1, (centres + reach).astype(np.int64)), sizes)
    factors = np.minimum(1.0, 2 * SURE_PX / np.maximum(side, 1.0))
    return Regions(places, np.concatenate([begin, end], axis=1), SURE_PX / factors, factors)


def _located(judge: Judge, squares: _Squares) -> FoundFaces:
    return judge.locate(squares.places, squares.boxes, squares.quarters)
