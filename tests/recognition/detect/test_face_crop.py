"""Crops of faces are not searched: their landmarks are found, however much of them is face."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.recognition.align import align
from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.detection import Detection
from app.recognition.quality.measures import CROP
from app.recognition.types import DetectedFace, Direction
from tests.kit.detectors import make_detector
from tests.kit.photos import astronaut, coffee, group, hopper, pixels

_CROP = Detection(is_crop=True)


def _face(detector: CopyingDetector, photo: Image.Image) -> DetectedFace:
    (face,) = detector.detect(pixels(photo))
    return face


def _apart(points: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    """Mean distance of landmarks, by that of the eyes."""
    eyes = np.hypot(*(expected[0] - expected[1]))
    return float(np.hypot(*(points - expected).T).mean() / eyes)


@pytest.mark.parametrize("margin", [0.0, 0.1, 0.3, 0.6])
@pytest.mark.parametrize("photo", [astronaut(), hopper()], ids=["one", "other"])
def test_landmarks_of_a_crop_are_those_of_the_photo(
    photo: Image.Image, margin: float, detector: CopyingDetector
) -> None:
    face = _face(detector, photo)
    x1, y1, x2, y2 = face.box
    left, top = round(x1 - margin * (x2 - x1)), round(y1 - margin * (y2 - y1))
    right, bottom = round(x2 + margin * (x2 - x1)), round(y2 + margin * (y2 - y1))
    crop = photo.crop((left, top, right, bottom))
    (found,) = detector.detect(pixels(crop), _CROP)
    assert found.box == (0, 0, crop.width, crop.height)
    assert found.score > 0.95
    assert found.direction is Direction.UPRIGHT
    assert _apart(found.landmarks + np.array([left, top], dtype=np.float32), face.landmarks) < 0.08


def test_a_crop_that_is_aligned_for_a_network_keeps_its_landmarks(
    detector: CopyingDetector,
) -> None:
    aligned = align(pixels(hopper()), _face(detector, hopper()).landmarks, CROP)
    (found,) = detector.detect(aligned, _CROP)
    assert _apart(found.landmarks, np.asarray(CROP.template, dtype=np.float32)) < 0.1


@pytest.mark.parametrize("direction", list(Direction))
def test_a_crop_that_is_the_wrong_way_up_has_its_direction(
    direction: Direction, detector: CopyingDetector
) -> None:
    face = _face(detector, astronaut())
    (x, y), half = face.centre, 70
    left, top = round(x) - half, round(y) - half
    crop = astronaut().crop((left, top, left + 2 * half, top + 2 * half))
    (found,) = detector.detect(pixels(crop.rotate(-direction)), _CROP)
    assert found.direction is direction
    upright = face.landmarks - np.array([left, top], dtype=np.float32)
    last, turns = 2 * half - 1, direction // 90
    for _ in range(turns):  # a quarter clockwise
        upright = np.stack([last - upright[:, 1], upright[:, 0]], axis=1)
    assert _apart(found.landmarks, upright) < 0.1


def test_a_crop_that_shows_no_face_has_a_low_score(detector: CopyingDetector) -> None:
    (found,) = detector.detect(pixels(coffee()), _CROP)
    assert found.score < 0.9


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (900, 2)])
def test_a_crop_may_have_any_size(size: tuple[int, int], detector: CopyingDetector) -> None:
    (found,) = detector.detect(np.zeros((*size, 3), dtype=np.uint8), _CROP)
    assert found.score < 0.1
    assert np.isfinite(found.landmarks).all()


def test_photos_of_a_batch_are_found_by_their_own_options(detector: CopyingDetector) -> None:
    tilted = pixels(astronaut().rotate(25))
    photos = [tilted, tilted, pixels(group()), pixels(group())]
    options = [Detection(), Detection(0.9999), _CROP, Detection(1.0)]
    together = detector.detect_all(photos, detections=options)
    for photo, own, found in zip(photos, options, together, strict=True):
        alone = detector.detect(photo, own)
        assert np.array([face.box for face in found]) == pytest.approx(
            np.array([face.box for face in alone]), abs=0.01
        )
    assert [len(found) for found in together] == [1, 0, 1, 0]


def test_a_lower_score_than_the_settings_finds_more() -> None:
    strict = make_detector(min_score=0.9999)
    tilted = pixels(astronaut().rotate(25))
    assert strict.detect(tilted) == ()
    (found,) = strict.detect(tilted, Detection(0.9))
    assert 0.9 < found.score < 0.9999
