"""Search photos of any size on copies of limited size, long ones in parts."""

from collections.abc import Iterable, Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from app.recognition.detect.face_crop import face_of_crop
from app.recognition.detect.found_faces import FindFaces, FoundFaces, Picture
from app.recognition.detect.mtcnn.boxes import FIRST_PIXEL, SAME_FACE, best_of_nested
from app.recognition.detect.resize import scaled
from app.recognition.detect.tiles import Tile, searched_side_px, tiles_of
from app.recognition.detection import BY_SETTINGS, Detection
from app.recognition.types import Box, DetectedFace, Direction, Pixels
from models.zoo.detectors.mtcnn import MtcnnNetworks

_TILES_AT_ONCE = 4
_SMALLEST_IN_COPY_PX = 20
"""Below this size, MTCNN finds little but noise, at a cost that rises steeply."""


class CopyingDetector:
    """A detector that searches copies of limited size; `find` finds the faces of a copy.

    `min_score` (0 to 1) is the least score that is reported as a face, where the options of a photo
    name no other. A photo that is a crop of one face is not searched; see `face_crop.py`.
    `max_side_px` bounds the longest side of a copy, and so the cost of a detection: more pixels of
    the photo make no difference. A long photo is searched in parts, each on a copy of its own; see
    `tiles.py`. `min_face_size_px` is the smallest face that is looked for, in pixels of the photo;
    where the copy is much smaller than the photo, faces below 20 px of the copy are not looked for
    either. Safe to call from several threads at once.
    """

    def __init__(
        self,
        find: FindFaces,
        networks: MtcnnNetworks,
        *,
        min_score: float,
        max_side_px: int,
        min_face_size_px: int,
    ) -> None:
        self.max_side_px = max_side_px
        self._find = find
        self._networks = networks
        self._min_score = min_score
        self._min_face_size_px = min_face_size_px

    def detect(self, photo: Pixels, detection: Detection = BY_SETTINGS) -> tuple[DetectedFace, ...]:
        """The faces of one photo."""
        return self.detect_all([photo], detections=[detection])[0]

    def detect_all(
        self,
        photos: Sequence[Pixels],
        *,
        factors: Sequence[float] = (),
        detections: Sequence[Detection] = (),
    ) -> list[tuple[DetectedFace, ...]]:
        """The faces of each of several upright RGB photos, largest first.

        `factors`: how many times larger each photo was before it was reduced; the smallest face is
        measured in the photo as it was. `detections`: the options of each.
        """
        factors = factors or [1.0] * len(photos)
        detections = detections or [BY_SETTINGS] * len(photos)
        found: dict[int, tuple[DetectedFace, ...]] = {}
        by_score: dict[float, list[int]] = {}
        for place, (photo, options) in enumerate(zip(photos, detections, strict=True)):
            if options.is_crop:
                found[place] = face_of_crop(self._networks, photo)
            else:
                least = self._min_score if options.min_score is None else options.min_score
                by_score.setdefault(least, []).append(place)
        for least, places in by_score.items():
            faces = self._search_alike(
                [photos[i] for i in places], [factors[i] for i in places], least
            )
            found.update(zip(places, faces, strict=True))
        return [_largest_first(found[place]) for place in range(len(photos))]

    def _search_alike(
        self, photos: Sequence[Pixels], factors: Sequence[float], least_score: float
    ) -> list[tuple[DetectedFace, ...]]:
        """The faces of each of several photos with the same least score."""
        tiles = [tiles_of(photo.shape[1], photo.shape[0]) for photo in photos]
        whole = [place for place, own in enumerate(tiles) if len(own) == 1]
        found: dict[int, tuple[DetectedFace, ...]] = {}
        pieces = self._search(
            [photos[place] for place in whole], [factors[i] for i in whole], least_score
        )
        found.update(zip(whole, pieces, strict=True))
        for place, own in enumerate(tiles):
            if len(own) > 1:
                found[place] = self._search_tiles(photos[place], own, factors[place], least_score)
        return [found[place] for place in range(len(photos))]

    def smallest_face_px(self, width: int, height: int) -> int:
        """Side of the smallest face that is looked for in a photo of this size, in its pixels."""
        reduction = max(1.0, searched_side_px(width, height) / self.max_side_px)
        return ceil(max(self._min_face_size_px, _SMALLEST_IN_COPY_PX * reduction))

    def _search_tiles(
        self, photo: Pixels, tiles: Sequence[Tile], factor: float, least_score: float
    ) -> tuple[DetectedFace, ...]:
        """Search a few tiles at once, which bounds the memory of their copies."""
        found: list[DetectedFace] = []
        for begin in range(0, len(tiles), _TILES_AT_ONCE):
            some = tiles[begin : begin + _TILES_AT_ONCE]
            parts = [photo[top:bottom, left:right] for left, top, right, bottom in some]
            for (left, top, *_), faces in zip(
                some, self._search(parts, [factor] * len(parts), least_score), strict=True
            ):
                found += [face.moved(left, top) for face in faces]
        return _each_once(found)

    def _search(
        self, photos: Sequence[Pixels], factors: Sequence[float], least_score: float
    ) -> list[tuple[DetectedFace, ...]]:
        pictures = [
            self._picture(photo, factor) for photo, factor in zip(photos, factors, strict=True)
        ]
        found = self._find(pictures, least_score=least_score)
        return [
            self._faces(photo, picture.pixels, faces)
            for photo, picture, faces in zip(photos, pictures, found, strict=True)
        ]

    def _picture(self, photo: Pixels, factor: float) -> Picture:
        copy = scaled(photo, min(1.0, self.max_side_px / max(photo.shape[:2])))
        scale = max(copy.shape[:2]) / (max(photo.shape[:2]) * factor)
        smallest = max(self._min_face_size_px * scale, float(_SMALLEST_IN_COPY_PX))
        return Picture(copy, smallest)

    def _faces(self, photo: Pixels, copy: Pixels, found: FoundFaces) -> tuple[DetectedFace, ...]:
        """The faces in pixels of the photo."""
        per_axis = np.array(
            [photo.shape[1] / copy.shape[1], photo.shape[0] / copy.shape[0]], dtype=np.float32
        )
        faces = []
        certainties = [None] * len(found) if found.certainties is None else found.certainties
        for box, score, points, quarters, is_clear, certainty in zip(
            found.boxes,
            found.scores,
            found.points,
            found.quarters,
            found.clear,
            certainties,
            strict=True,
        ):
            clipped = _clip(box, per_axis, photo.shape)
            if clipped is None:
                continue
            if not np.ptp(points, axis=0).all():
                continue  # landmarks at one point give no direction to turn the face by
            landmarks = (points + 0.5) * per_axis - 0.5  # pixel centres
            direction = Direction(90 * int(quarters)) if is_clear else None
            faces.append(
                DetectedFace(
                    clipped,
                    landmarks,
                    float(score),
                    direction,
                    certainty=None if certainty is None else float(certainty),
                )
            )
        return tuple(faces)


def _largest_first(faces: Iterable[DetectedFace]) -> tuple[DetectedFace, ...]:
    return tuple(sorted(faces, key=lambda face: face.area_px, reverse=True))


def _each_once(faces: Sequence[DetectedFace]) -> tuple[DetectedFace, ...]:
    """Keep the best of boxes that lie in each other: several tiles may show or cut one face."""
    boxes = np.array([face.box for face in faces], dtype=np.float32).reshape(-1, 4)
    scores = np.array([face.score for face in faces], dtype=np.float32)
    chosen = best_of_nested(boxes + FIRST_PIXEL, scores, most=SAME_FACE)
    return tuple(faces[place] for place in chosen)


def _clip(
    box: NDArray[np.float32], per_axis: NDArray[np.float32], shape: tuple[int, ...]
) -> Box | None:
    """The part of a box inside the photo, or None when nothing of it is."""
    x1, x2 = np.clip(box[[0, 2]] * per_axis[0], 0, shape[1])
    y1, y2 = np.clip(box[[1, 3]] * per_axis[1], 0, shape[0])
    if x1 >= x2 or y1 >= y2:
        return None
    return float(x1), float(y1), float(x2), float(y2)
