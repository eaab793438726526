"""The detector of a GPU finds in a batch what it finds in each photo, and what the CPU finds."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from app.recognition.batched import yunet_boxes, yunet_finder
from app.recognition.batched.pictures import Pictures
from app.recognition.batched.yunet_boxes import Regions
from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.detect.mtcnn.boxes import best_of_nested, best_of_nested_apart
from app.recognition.detect.yunet_search import SURE_PX
from app.recognition.types import DetectedFace
from tests.kit.photos import another_photo, astronaut, coffee, group, hopper, pixels

_NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (150, 200, 3), dtype=np.uint8))
PHOTOS = {
    "one": astronaut().resize((250, 250)),
    "darker": another_photo(hopper()),
    "none": coffee().resize((300, 200)),
    "two": group().resize((1_500, 900)),
    "to the left": hopper().rotate(90, expand=True),
    "mirrored, to the right": ImageOps.mirror(hopper()).rotate(-90, expand=True),
    "upside down": astronaut().rotate(180),
    "small": hopper().resize((85, 100)),
    "rolled": hopper().rotate(45, expand=True),
    "noise": _NOISE,
}


def _require_same(
    found: Sequence[DetectedFace], known: Sequence[DetectedFace], *, within_px: float
) -> None:
    assert [face.direction for face in found] == [face.direction for face in known]
    for face, other in zip(found, known, strict=True):
        np.testing.assert_allclose(face.box, other.box, atol=within_px)
        np.testing.assert_allclose(face.landmarks, other.landmarks, atol=within_px)
        assert face.score == pytest.approx(other.score, abs=1e-3)


def test_a_batch_has_the_faces_of_each_photo_and_of_the_other_runtime(
    batched_detector: CopyingDetector, detector: CopyingDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = [pixels(photo) for photo in PHOTOS.values()]
    together = batched_detector.detect_all(photos)
    for name, photo, found in zip(PHOTOS, photos, together, strict=True):
        assert len(found) == {"none": 0, "two": 2, "noise": 0}.get(name, 1)
        _require_same(found, batched_detector.detect(photo), within_px=0.01)
        _require_same(found, detector.detect(photo), within_px=0.5)
    monkeypatch.setattr(yunet_finder, "_MOST_PIXELS", 500_000)  # several on the device at once
    for found, known in zip(batched_detector.detect_all(photos), together, strict=True):
        _require_same(found, known, within_px=0.01)


def test_a_picture_is_halved_as_by_opencv() -> None:
    """Down to the last gray value, which may decide between boxes whose scores are near."""
    photo = pixels(PHOTOS["one"])
    pictures = Pictures.uploaded([photo], torch.device("cpu"))
    regions = Regions.whole(pictures.sizes, np.array([0]), np.array([SURE_PX]))
    (copies,) = yunet_boxes._copies(regions, (0.5,))
    drawn = yunet_boxes._drawn(pictures, regions, copies)[0, :125, :125].numpy()
    np.testing.assert_array_equal(
        drawn, cv2.resize(photo, (125, 125), interpolation=cv2.INTER_AREA)
    )


def test_without_photos_there_are_no_faces(batched_detector: CopyingDetector) -> None:
    assert batched_detector.detect_all([]) == []


def test_groups_of_nested_boxes_do_not_suppress_each_other() -> None:
    random = np.random.default_rng(1)
    corners = random.uniform(0, 60, (200, 2))
    boxes = np.concatenate([corners, corners + random.uniform(5, 60, (200, 2))], axis=1)
    boxes = boxes.astype(np.float32)
    scores = random.permutation(200).astype(np.float32)
    groups = random.integers(0, 7, 200)
    found = set(best_of_nested_apart(boxes, scores, groups, most=0.6).tolist())
    expected = set()
    for number in range(7):
        (own,) = np.nonzero(groups == number)
        expected |= set(own[best_of_nested(boxes[own], scores[own], most=0.6)].tolist())
    assert found == expected
    assert 7 < len(found) < 150
