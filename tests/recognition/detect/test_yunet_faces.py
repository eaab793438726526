"""YuNet's faces are MTCNN's, with the same landmarks, however they are turned."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.device import limit_threads
from app.recognition.types import DetectedFace, Direction
from tests.kit.detectors import make_detector
from tests.kit.photos import another_photo, astronaut, coffee, group, hopper, pixels

PHOTOS = [astronaut(), hopper(), group(), another_photo(astronaut()), another_photo(hopper())]


@pytest.fixture(scope="module")
def yunet() -> CopyingDetector:
    limit_threads(1)
    return make_detector(name="yunet")


@pytest.fixture(scope="module")
def mtcnn() -> CopyingDetector:
    return make_detector(name="mtcnn")


def _apart(one: DetectedFace, other: DetectedFace) -> float:
    """Mean distance of landmarks, by that of the eyes."""
    eyes = np.hypot(*(one.landmarks[0] - one.landmarks[1]))
    return float(np.hypot(*(one.landmarks - other.landmarks).T).mean() / eyes)


@pytest.mark.parametrize("photo", PHOTOS, ids=["one", "other", "both", "again", "other again"])
def test_faces_are_those_of_mtcnn_with_their_landmarks(
    photo: Image.Image, yunet: CopyingDetector, mtcnn: CopyingDetector
) -> None:
    found, expected = yunet.detect(pixels(photo)), mtcnn.detect(pixels(photo))
    assert len(found) == len(expected)
    for face, known in zip(found, expected, strict=True):
        assert _apart(face, known) < 0.08
        np.testing.assert_allclose(face.box, known.box, atol=0.15 * np.sqrt(known.area_px))
        assert face.score > 0.99
        assert face.direction == Direction.UPRIGHT


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turned_faces_are_found_in_their_direction(turns: int, yunet: CopyingDetector) -> None:
    for photo, count in ((astronaut(), 1), (hopper(), 1), (group(), 2)):
        found = yunet.detect(np.ascontiguousarray(np.rot90(pixels(photo), turns)))
        assert [face.direction for face in found] == [Direction(360 - 90 * turns)] * count


@pytest.mark.parametrize("turns", range(4))
def test_a_cup_of_coffee_has_no_face_in_any_direction(turns: int, yunet: CopyingDetector) -> None:
    assert yunet.detect(np.ascontiguousarray(np.rot90(pixels(coffee()), turns))) == ()


def _noise(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_photos_of_a_batch_give_what_each_gives_alone(yunet: CopyingDetector) -> None:
    photos = [*map(pixels, PHOTOS), pixels(coffee()), _noise(1, 1), _noise(700, 40)]
    together = yunet.detect_all(photos)
    for photo, found in zip(photos, together, strict=True):
        alone = yunet.detect(photo)
        assert len(found) == len(alone)
        for face, known in zip(found, alone, strict=True):
            np.testing.assert_allclose(face.box, known.box, atol=0.05)
            np.testing.assert_allclose(face.landmarks, known.landmarks, atol=0.05)


@pytest.mark.parametrize("photo", [group(), coffee()], ids=["two", "none"])
@pytest.mark.parametrize("turns", [0, 2])
def test_both_backends_find_the_same_faces(photo: Image.Image, turns: int) -> None:
    turned = np.ascontiguousarray(np.rot90(pixels(photo), turns))
    torch, onnx = (
        make_detector(name="yunet", backend=backend).detect(turned)
        for backend in ("torch", "onnxruntime")
    )
    assert len(torch) == len(onnx)
    for one, other in zip(torch, onnx, strict=True):
        assert one.direction == other.direction
        np.testing.assert_allclose(one.box, other.box, atol=0.05)
        np.testing.assert_allclose(one.landmarks, other.landmarks, atol=0.05)
