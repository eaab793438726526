"""Faces of panoramas and strips are found, each once, in pixels of the whole photo."""

import numpy as np
import pytest
from PIL import Image

from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.types import Direction
from tests.cases import case
from tests.kit.photos import astronaut, hopper, opened, pixels


def _strip(width: int, height: int, places: dict[int, Image.Image]) -> Image.Image:
    strip = Image.new("RGB", (width, height), (110, 120, 100))
    for left, photo in places.items():
        strip.paste(photo, (left, height // 8))
    return strip


def test_small_face_of_a_panorama_is_found(detector: CopyingDetector) -> None:
    (face,) = detector.detect(pixels(opened(case("panorama.jpg"))))
    x1, y1, x2, y2 = face.box
    assert 75 < x2 - x1 < 100
    assert 95 < y2 - y1 < 130


@pytest.mark.parametrize("turns", [0, 1, 3])
@pytest.mark.parametrize("left", [0, 1_050, 1_290, 2_333, 4_488])
def test_face_is_found_once_wherever_the_parts_end(
    left: int, turns: int, detector: CopyingDetector
) -> None:
    strip = _strip(5_000, 600, {left: astronaut()})
    (known,) = detector.detect(pixels(astronaut()))
    photo = np.ascontiguousarray(np.rot90(pixels(strip), turns))
    (face,) = detector.detect(photo)
    across, down = known.centre[0] + left, known.centre[1] + 75
    expected = {0: (across, down), 1: (down, 5_000 - across), 3: (600 - down, across)}[turns]
    np.testing.assert_allclose(face.centre, expected, atol=6)
    assert (
        face.direction
        is [Direction.UPRIGHT, Direction.TO_THE_LEFT, None, Direction.TO_THE_RIGHT][turns]
    )


def test_two_people_of_a_strip_are_two_faces(detector: CopyingDetector) -> None:
    strip = _strip(4_000, 600, {300: astronaut(), 2_900: hopper().resize((427, 500))})
    found = detector.detect(pixels(strip))
    assert len(found) == 2
    assert [face.area_px for face in found] == sorted((f.area_px for f in found), reverse=True)


def test_smallest_face_follows_from_the_size_of_the_photo(detector: CopyingDetector) -> None:
    assert detector.smallest_face_px(250, 250) == 40
    assert detector.smallest_face_px(2_560, 1_700) == 40
    assert detector.smallest_face_px(5_120, 3_840) == 80
    assert detector.smallest_face_px(12_000, 1_500) == 47  # a part is 3,000 pixels long
    assert detector.smallest_face_px(1_500, 12_000) == 47
