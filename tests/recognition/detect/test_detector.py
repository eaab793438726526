"""Faces on photos of any size; MTCNN's are where facenet-pytorch's own detector finds them."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from facenet_pytorch import MTCNN
from PIL import Image

from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.device import limit_threads
from app.recognition.types import Box, DetectedFace
from tests.kit.detectors import make_detector
from tests.kit.photos import Rgb, another_photo, astronaut, coffee, group, hopper, pixels


@pytest.fixture(scope="module")
def reference() -> MTCNN:
    return MTCNN(min_face_size=40, keep_all=True)


@pytest.fixture(scope="module")
def mtcnn() -> CopyingDetector:
    return make_detector(name="mtcnn")


def _overlap(left: Box, right: Box) -> float:
    """Area of the intersection over that of the union."""
    width = min(left[2], right[2]) - max(left[0], right[0])
    height = min(left[3], right[3]) - max(left[1], right[1])
    both = max(width, 0) * max(height, 0)
    areas = [(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (left, right)]
    return both / (sum(areas) - both)


@pytest.mark.parametrize("photo", [astronaut(), hopper(), group()], ids=["one", "other", "both"])
def test_boxes_scores_and_landmarks_are_those_of_the_library(
    photo: Image.Image, mtcnn: CopyingDetector, reference: MTCNN
) -> None:
    boxes, scores, landmarks = reference.detect(photo, landmarks=True)
    expected = [
        (box, score, points)
        for box, score, points in zip(boxes, scores, landmarks, strict=True)
        if score >= 0.9
    ]
    found = mtcnn.detect(pixels(photo))
    assert len(found) == len(expected) > 0
    for face, (box, score, points) in zip(found, expected, strict=True):
        np.testing.assert_allclose(face.box, box.astype(float), atol=0.01)
        np.testing.assert_allclose(face.landmarks, points.astype(float), atol=0.01)
        assert face.score == pytest.approx(score, abs=1e-4)


def test_faces_come_largest_first(detector: CopyingDetector) -> None:
    first, second = detector.detect(pixels(group()))
    assert first.area_px > second.area_px
    assert first.centre[0] > astronaut().width > second.centre[0]


def test_a_cup_of_coffee_has_no_face(detector: CopyingDetector) -> None:
    assert detector.detect(pixels(coffee())) == ()


@pytest.mark.parametrize("height_and_width", [(1, 1), (5, 300), (300, 5), (39, 39), (39, 2_000)])
def test_a_photo_smaller_than_the_smallest_face_has_none(
    height_and_width: tuple[int, int], detector: CopyingDetector
) -> None:
    assert detector.detect(np.full((*height_and_width, 3), 128, dtype=np.uint8)) == ()


@pytest.mark.parametrize("side", [40, 41, 47, 94, 147])
def test_a_photo_exactly_as_large_as_the_smallest_face_is_searched(side: int) -> None:
    detector = make_detector(min_face_size_px=side, min_score=0.9)
    assert detector.detect(np.full((side, side, 3), 128, dtype=np.uint8)) == ()


def test_a_face_below_the_smallest_size_is_not_looked_for(detector: CopyingDetector) -> None:
    choosy = make_detector(min_face_size_px=240, min_score=0.9)
    photo = pixels(group())
    assert len(detector.detect(photo)) == 2
    (only,) = choosy.detect(photo)
    assert only.centre[0] > astronaut().width


def test_a_score_below_the_least_is_not_reported(detector: CopyingDetector) -> None:
    photo = pixels(group())
    lower, higher = sorted(face.score for face in detector.detect(photo))
    between = make_detector(min_face_size_px=40, min_score=(lower + higher) / 2)
    assert [face.score for face in between.detect(photo)] == [higher]


@pytest.mark.parametrize(("max_side_px", "side"), [(1280, 3_000), (400, 512)])
def test_faces_of_a_shrunk_copy_are_given_in_pixels_of_the_photo(
    max_side_px: int, side: int, detector: CopyingDetector
) -> None:
    shrinking = make_detector(max_side_px=max_side_px, min_face_size_px=40, min_score=0.9)
    larger = astronaut().resize((side, side), Image.Resampling.BICUBIC)
    (known,) = detector.detect(pixels(astronaut()))
    (found,) = shrinking.detect(pixels(larger))
    factor = side / 512
    x1, y1, x2, y2 = known.box
    known_box = (x1 * factor, y1 * factor, x2 * factor, y2 * factor)
    face_width = known_box[2] - known_box[0]
    assert _overlap(found.box, known_box) > 0.85
    np.testing.assert_allclose(
        found.landmarks, known.landmarks * factor, atol=0.03 * face_width, rtol=0
    )


def _in_order(face: DetectedFace) -> bool:
    left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks
    eyes, mouth = (left_eye + right_eye) / 2, (left_mouth + right_mouth) / 2
    return bool(
        left_eye[0] < right_eye[0]
        and left_mouth[0] < right_mouth[0]
        and eyes[1] < nose[1] < mouth[1]
    )


def test_landmarks_are_left_eye_right_eye_nose_and_mouth_corners(detector: CopyingDetector) -> None:
    for photo in (astronaut(), another_photo(astronaut()), hopper(), another_photo(hopper())):
        (face,) = detector.detect(pixels(photo))
        assert _in_order(face)


def _cut(photo: Rgb, box: Box, side: str) -> Rgb:
    """The photo ending 30 px inside the face."""
    x1, y1, x2, y2 = (round(edge) for edge in box)
    parts = {
        "left": photo[:, x1 + 30 :],
        "top": photo[y1 + 30 :],
        "right": photo[:, : x2 - 30],
        "bottom": photo[: y2 - 30],
    }
    return np.ascontiguousarray(parts[side])


@pytest.mark.parametrize("side", ["left", "top", "right", "bottom"])
def test_the_box_of_a_face_cut_by_the_border_ends_at_the_border(
    side: str, detector: CopyingDetector
) -> None:
    photo = pixels(hopper())
    (whole,) = detector.detect(photo)
    part = _cut(photo, whole.box, side)
    (face,) = detector.detect(part)
    borders = {"left": 0, "top": 0, "right": part.shape[1], "bottom": part.shape[0]}
    edges = dict(zip(("left", "top", "right", "bottom"), face.box, strict=True))
    assert edges[side] == borders[side]
    assert 0 <= edges["left"] < edges["right"] <= part.shape[1]
    assert 0 <= edges["top"] < edges["bottom"] <= part.shape[0]


def test_concurrent_detection_equals_detection_one_by_one(detector: CopyingDetector) -> None:
    photos = [pixels(photo) for photo in (astronaut(), hopper(), group(), coffee())]
    one_by_one = [detector.detect(photo) for photo in photos]
    with ThreadPoolExecutor(4, initializer=limit_threads, initargs=(1,)) as threads:
        at_once = list(threads.map(detector.detect, photos * 2))
    for found, expected in zip(at_once, one_by_one * 2, strict=True):
        assert [(face.box, face.score) for face in found] == [
            (face.box, face.score) for face in expected
        ]
        for face, known in zip(found, expected, strict=True):
            np.testing.assert_array_equal(face.landmarks, known.landmarks)


def test_noise_and_scraps_of_any_size_never_raise() -> None:
    limit_threads(1)
    eager = make_detector(max_side_px=120, min_face_size_px=20, min_score=0.7)
    rng = np.random.default_rng(0)
    photo = pixels(hopper())
    seen = 0
    for _ in range(60):
        height, width = rng.integers(1, 200, 2)
        top, left = rng.integers(100, 200, 2)
        noise = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        for scrap in (noise, np.ascontiguousarray(photo[top : top + height, left : left + width])):
            for face in eager.detect(scrap):
                seen += 1
                x1, y1, x2, y2 = face.box
                assert 0 <= x1 < x2 <= width
                assert 0 <= y1 < y2 <= height
                assert 0.7 <= face.score <= 1
                assert np.isfinite(face.landmarks).all()
                assert np.ptp(face.landmarks, axis=0).all()
    assert seen > 0
