"""Faces that two detectors find in the same photos, and decisions that follow from them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import process_time
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from app.operations.policy.face_rules import QualityFilter
from app.operations.policy.quality_filter import shortcomings
from app.recognition.align import align
from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.embedder import NetworkEmbedder
from app.recognition.quality.assess import assess
from app.recognition.types import DetectedFace, FaceQuality, Pixels
from benchmarks.kit.boxes import ious

SAME_IOU: Final = 0.5
_TURNS: Final = (1, 2, 3)
_DIRECTIONS: Final = (0, 270, 180, 90)
"""Direction of the top of an upright face after this many quarter turns counterclockwise."""
_EMBEDDED_AT_ONCE: Final = 32
_ROWS_AT_ONCE: Final = 512


@dataclass(slots=True)
class Central:
    """The faces nearest the centres of photos, by one detector."""

    faces: list[DetectedFace | None] = field(default_factory=list)
    qualities: list[FaceQuality | None] = field(default_factory=list)
    embeddings: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.float32))
    """A row for each photo; of length 0 where there is no face."""

    def refused(self) -> NDArray[np.bool_]:
        """Whether the default quality floor refuses each photo's face; false without a face."""
        return np.array(
            [
                quality is not None and bool(shortcomings(quality, QualityFilter.FLOOR))
                for quality in self.qualities
            ],
            dtype=bool,
        )


def central_faces(
    detector: CopyingDetector, embedder: NetworkEmbedder, photos: Iterator[Pixels]
) -> Central:
    """Find, assess and embed the face nearest the centre of each photo."""
    central = Central()
    crops: list[Pixels] = []
    owners: list[int] = []
    rows: list[NDArray[np.float32]] = []
    for place, photo in enumerate(photos):
        face = nearest_centre(detector.detect(photo), photo)
        central.faces.append(face)
        central.qualities.append(None if face is None else assess(photo, face))
        if face is not None:
            crops.append(align(photo, face.landmarks, embedder.input))
            owners.append(place)
        if len(crops) == _EMBEDDED_AT_ONCE:
            rows.append(embedder.embed(crops))
            crops.clear()
    rows.append(embedder.embed(crops))
    central.embeddings = np.zeros((len(central.faces), embedder.model.dimension), np.float32)
    central.embeddings[owners] = np.concatenate(rows)
    return central


def nearest_centre(faces: Sequence[DetectedFace], photo: Pixels) -> DetectedFace | None:
    middle = np.array([photo.shape[1], photo.shape[0]]) / 2
    return min(
        faces, key=lambda face: float(np.hypot(*(np.array(face.centre) - middle))), default=None
    )


def landmark_distance(one: DetectedFace, other: DetectedFace) -> float:
    """Mean distance of the five landmarks, by that of the eyes of the second."""
    eyes = float(np.hypot(*(other.landmarks[0] - other.landmarks[1])))
    return float(np.hypot(*(one.landmarks - other.landmarks).T).mean()) / eyes


def is_same(one: DetectedFace, other: DetectedFace) -> bool:
    return float(ious([one.box], [other.box])[0, 0]) > SAME_IOU


def match_rates(
    gallery: Central, probes: Central, person: NDArray[np.intp], thresholds: Mapping[float, float]
) -> dict[str, dict[str, float]]:
    """By false match rate: what TAR and FMR its shipped similarity gives here.

    All pairs of different photos, one side as one detector sees it, the other as the other does.
    """
    genuine = impostor = 0
    matches = {fmr: [0, 0] for fmr in thresholds}
    there = np.linalg.norm(gallery.embeddings, axis=1) > 0
    for begin in range(0, len(person), _ROWS_AT_ONCE):
        rows = np.arange(begin, min(begin + _ROWS_AT_ONCE, len(person)))
        similar = probes.embeddings[rows] @ gallery.embeddings.T
        later = np.arange(len(person))[None] > rows[:, None]
        seen = later & there[None] & there[rows][:, None]
        same = (person[rows][:, None] == person[None]) & seen
        other = seen & ~same
        genuine += int(same.sum())
        impostor += int(other.sum())
        for fmr, least in thresholds.items():
            matching = similar >= least
            matches[fmr][0] += int((matching & same).sum())
            matches[fmr][1] += int((matching & other).sum())
    return {
        f"{fmr:g}": {"tar": right / max(genuine, 1), "fmr": wrong / max(impostor, 1)}
        for fmr, (right, wrong) in matches.items()
    }


@dataclass(slots=True)
class Turned:
    """Counts of photos turned by quarters whose face was found, and in which direction."""

    photos: int = 0
    found: int = 0
    right: int = 0
    wrong: int = 0
    unclear: int = 0


def turned_faces(
    detector: CopyingDetector, photos: Iterator[Pixels], known: Sequence[DetectedFace | None]
) -> Turned:
    """Look for the known faces of upright photos in three directions."""
    seen = Turned()
    for photo, face in zip(photos, known, strict=True):
        if face is None:
            continue
        for turns in _TURNS:
            seen.photos += 1
            there = _turned_box(face, photo, turns)
            found = detector.detect(np.ascontiguousarray(np.rot90(photo, turns)))
            same = [one for one in found if float(ious([one.box], [there])[0, 0]) > 0.3]
            if not same:
                continue
            best = max(same, key=lambda one: one.score)
            seen.found += 1
            seen.right += best.direction == _DIRECTIONS[turns]
            seen.unclear += best.direction is None
            seen.wrong += best.direction not in (None, _DIRECTIONS[turns])
    return seen


def _turned_box(face: DetectedFace, photo: Pixels, turns: int) -> NDArray[np.float64]:
    points = np.array(face.box, dtype=np.float64).reshape(2, 2)
    height, width = photo.shape[:2]
    for _ in range(turns):
        points = np.stack([points[:, 1], width - points[:, 0]], axis=1)
        width, height = height, width
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


def found_by_side(
    detector: CopyingDetector,
    photos: Sequence[Pixels],
    faces: Sequence[DetectedFace],
    *,
    side_px: int,
    canvas: tuple[int, int],
) -> float:
    """Share of faces found that are shrunk to a side and put on a gray canvas (width, height)."""
    generator = np.random.default_rng(side_px)
    found = 0
    for photo, face in zip(photos, faces, strict=True):
        x1, y1, x2, y2 = face.box
        factor = side_px / max(x2 - x1, y2 - y1)
        size = (max(1, round(photo.shape[1] * factor)), max(1, round(photo.shape[0] * factor)))
        small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
        picture = np.full((canvas[1], canvas[0], 3), 127, dtype=np.uint8)
        left = int(generator.integers(0, canvas[0] - size[0] + 1))
        top = int(generator.integers(0, canvas[1] - size[1] + 1))
        picture[top : top + size[1], left : left + size[0]] = small
        there = [left + x1 * factor, top + y1 * factor, left + x2 * factor, top + y2 * factor]
        seen = detector.detect(picture)
        found += any(float(ious([one.box], [there])[0, 0]) > 0.3 for one in seen)
    return found / max(len(photos), 1)


def least_cpu_ms(
    detectors: Mapping[str, CopyingDetector], photos: Sequence[Pixels], *, rounds: int
) -> dict[str, float]:
    """CPU time of a photo on the average, from the shortest of interleaved rounds of each."""
    took = {name: np.full(len(photos), np.inf) for name in detectors}
    for _ in range(rounds):
        for place, photo in enumerate(photos):
            for name, detector in detectors.items():
                began = process_time()
                detector.detect(photo)
                took[name][place] = min(took[name][place], process_time() - began)
    return {name: float(seconds.mean()) * 1e3 for name, seconds in took.items()}
