"""Faces are found in the direction in which they stand, with landmarks in the photo's pixels."""

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, ImageOps

from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.quality.assess import assess
from app.recognition.types import DetectedFace, Direction, Landmarks, Pixels, QualityComponent
from tests.kit.detectors import make_detector
from tests.kit.photos import Rgb, astronaut, coffee, encoded, group, hopper, opened, pixels

TURNS = (1, 2, 3)
"""Quarter turns of a photo, counterclockwise; a face's top then points to the left, down, right."""
DIRECTIONS = (
    Direction.UPRIGHT,
    Direction.TO_THE_LEFT,
    Direction.UPSIDE_DOWN,
    Direction.TO_THE_RIGHT,
)
PEOPLE = {
    "astronaut": astronaut(),
    "hopper": hopper(),
    "mirrored": ImageOps.mirror(hopper()),
    "small": hopper().resize((170, 200), Image.Resampling.BICUBIC),
}


@pytest.fixture(scope="module", params=["yunet", "yunet in PyTorch", "mtcnn"])
def either(request: pytest.FixtureRequest) -> CopyingDetector:
    """Each detector; MTCNN in PyTorch is compared below."""
    name, _, in_torch = request.param.partition(" ")
    return make_detector(name=name, backend="torch" if in_torch else "auto")


def _turned(photo: Rgb, turns: int) -> Pixels:
    return np.ascontiguousarray(np.rot90(photo, turns))


def _turned_points(points: Landmarks, photo: Rgb, turns: int) -> Landmarks:
    height, width = photo.shape[:2]
    for _ in range(turns):
        points = np.stack([points[:, 1], width - 1 - points[:, 0]], axis=1)
        width, height = height, width
    return points


@pytest.mark.parametrize("turns", TURNS)
@pytest.mark.parametrize("person", PEOPLE)
def test_turned_face_has_the_landmarks_of_the_upright_one(
    person: str, turns: int, either: CopyingDetector
) -> None:
    photo = pixels(PEOPLE[person])
    (known,) = either.detect(photo)
    (found,) = either.detect(_turned(photo, turns))
    assert (known.direction, found.direction) == (Direction.UPRIGHT, DIRECTIONS[turns])
    expected = _turned_points(known.landmarks, photo, turns)
    eyes_px = float(np.hypot(*(known.landmarks[0] - known.landmarks[1])))
    np.testing.assert_allclose(found.landmarks, expected, atol=0.12 * eyes_px, rtol=0)


@pytest.mark.parametrize("name", ["yunet", "mtcnn"])
@pytest.mark.parametrize("photo", [astronaut(), hopper(), coffee()], ids=["one", "other", "none"])
def test_both_backends_find_the_same_turned_faces(photo: Image.Image, name: str) -> None:
    both = [make_detector(name=name, backend=backend) for backend in ("torch", "onnxruntime")]
    for turns in TURNS:
        turned = _turned(pixels(photo), turns)
        _require_same(*(detector.detect(turned) for detector in both))


def _require_same(torch: Sequence[DetectedFace], onnx: Sequence[DetectedFace]) -> None:
    assert [face.direction for face in torch] == [face.direction for face in onnx]
    for one, other in zip(torch, onnx, strict=True):
        np.testing.assert_allclose(one.box, other.box, atol=0.05)
        np.testing.assert_allclose(one.landmarks, other.landmarks, atol=0.05)
        assert one.score == pytest.approx(other.score, abs=1e-4)


@pytest.mark.parametrize("turns", TURNS)
def test_one_head_that_is_turned_is_found_beside_one_that_is_not(
    turns: int, detector: CopyingDetector
) -> None:
    upright, other = hopper(), Image.fromarray(_turned(pixels(astronaut()), turns))
    both = Image.new("RGB", (upright.width + other.width, upright.height), "gray")
    both.paste(upright, (0, 0))
    both.paste(other, (upright.width, 0))
    found = detector.detect(pixels(both))
    assert len(found) == 2
    left, right = sorted(found, key=lambda face: face.centre[0])
    assert (left.direction, right.direction) == (Direction.UPRIGHT, DIRECTIONS[turns])


@pytest.mark.parametrize("turns", TURNS)
def test_turned_group_has_all_its_faces(turns: int, detector: CopyingDetector) -> None:
    found = detector.detect(_turned(pixels(group()), turns))
    assert [face.direction for face in found] == [DIRECTIONS[turns]] * 2


@pytest.mark.parametrize("degrees", range(0, 360, 30))
def test_a_face_is_found_once_however_it_is_rolled(degrees: int, detector: CopyingDetector) -> None:
    rolled = hopper().rotate(degrees, Image.Resampling.BICUBIC)
    (face,) = detector.detect(pixels(rolled))
    eyes = face.landmarks[1] - face.landmarks[0]
    roll = np.degrees(np.arctan2(eyes[1], eyes[0]))
    assert abs((roll + degrees + 180) % 360 - 180) < 12


def test_roll_is_measured_from_the_direction_in_which_the_face_stands(
    detector: CopyingDetector,
) -> None:
    photo = pixels(hopper())
    for turns in (0, *TURNS):
        turned = _turned(photo, turns)
        (face,) = detector.detect(turned)
        assert assess(turned, face).components[QualityComponent.ROLL].raw < 15


@pytest.mark.parametrize("person", [astronaut(), hopper()], ids=["astronaut", "hopper"])
def test_a_face_that_is_as_likely_upside_down_has_no_direction(
    person: Image.Image, either: CopyingDetector
) -> None:
    photo = pixels(person)
    (face,) = either.detect(photo)
    x, y = (round(value) for value in face.centre)
    half = min(x, y, photo.shape[1] - x, photo.shape[0] - y)
    part = photo[y - half : y + half, x - half : x + half].astype(np.float32)
    (twofold,) = either.detect(((part + part[::-1, ::-1]) / 2).astype(np.uint8))
    assert twofold.direction is None
    assert not assess(photo, twofold).direction_is_clear


def test_high_score_of_an_upside_down_face_does_not_make_it_upright(
    detector: CopyingDetector,
) -> None:
    """The detection score of this photo is 0.9995 as if upright."""
    photo = pixels(opened(encoded(hopper(), quality=95)))
    (found,) = detector.detect(_turned(photo, 2))
    assert found.direction == Direction.UPSIDE_DOWN


def test_a_cup_of_coffee_has_no_face_however_it_is_turned(detector: CopyingDetector) -> None:
    assert [detector.detect(_turned(pixels(coffee()), turns)) for turns in TURNS] == [()] * 3
