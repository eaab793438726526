"""The crop of a liveness network: enlarged about the box, and shifted inside at a border."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.recognition.liveness.liveness_crop import cut_surroundings, surroundings
from app.recognition.types import Box, DetectedFace, Direction, Pixels

_NO_LANDMARKS = np.zeros((5, 2), dtype=np.float32)


def _face(box: Box, direction: Direction | None = Direction.UPRIGHT) -> DetectedFace:
    return DetectedFace(box, _NO_LANDMARKS, 1.0, direction)


def _gradient(width: int, height: int) -> Pixels:
    """Red is the column, green the row."""
    photo = np.zeros((height, width, 3), dtype=np.uint8)
    photo[..., 0] = np.arange(width)
    photo[..., 1] = np.arange(height)[:, None]
    return photo


def test_box_in_the_middle_is_enlarged_about_its_centre_each_side_by_itself() -> None:
    assert surroundings((90, 80, 110, 120), scale=2.5, width=200, height=200) == (75, 50, 125, 150)


@pytest.mark.parametrize(
    ("box", "crop"),
    [
        ((0, 90, 20, 110), (0, 70, 60, 130)),
        ((180, 90, 200, 110), (139, 70, 199, 130)),
        ((90, 0, 110, 20), (70, 0, 130, 60)),
        ((90, 180, 110, 200), (70, 139, 130, 199)),
        ((0, 0, 20, 20), (0, 0, 60, 60)),
        ((180, 180, 200, 200), (139, 139, 199, 199)),
    ],
)
def test_crop_that_reaches_over_a_border_is_shifted_inside_and_keeps_its_size(
    box: Box, crop: tuple[int, int, int, int]
) -> None:
    assert surroundings(box, scale=3.0, width=200, height=200) == crop


def test_face_that_is_too_large_is_enlarged_only_as_far_as_the_shorter_way_allows() -> None:
    # 2.7 x 100 does not fit into 150 rows: both sides are enlarged by 149 / 100.
    left, top, right, bottom = surroundings((50, 20, 130, 120), scale=2.7, width=400, height=150)
    assert (top, bottom) == (0, 149)
    assert (left, right) == (int(90 - 0.5 * 80 * 1.49), int(90 + 0.5 * 80 * 1.49))


@given(
    width=st.integers(1, 300),
    height=st.integers(1, 300),
    corners=st.tuples(*[st.floats(0, 1)] * 4),
    scale=st.floats(1, 5),
)
def test_crop_lies_inside_any_photo_and_holds_a_pixel(
    width: int, height: int, corners: tuple[float, float, float, float], scale: float
) -> None:
    x1, y1 = corners[0] * (width - 1e-3), corners[1] * (height - 1e-3)
    x2 = x1 + max(1e-4, corners[2] * (width - x1))
    y2 = y1 + max(1e-4, corners[3] * (height - y1))
    left, top, right, bottom = surroundings(
        (x1, y1, x2, y2), scale=scale, width=width, height=height
    )
    assert 0 <= left <= right <= width - 1
    assert 0 <= top <= bottom <= height - 1


def test_crop_shows_what_is_there_up_to_its_last_row_and_column() -> None:
    photo = _gradient(200, 200)
    crop = cut_surroundings(photo, _face((80, 80, 120, 120)), scale=2.0, size_px=81)
    assert np.array_equal(crop, photo[60:141, 60:141])


@pytest.mark.parametrize("direction", list(Direction))
def test_face_in_another_direction_is_seen_upright(direction: Direction) -> None:
    upright = _gradient(200, 160)
    turned = np.rot90(upright, -direction.value // 90)  # its top points there
    box = (60, 50, 100, 90)
    boxes: dict[Direction, Box] = {
        Direction.UPRIGHT: box,
        Direction.TO_THE_RIGHT: (160 - 90, 60, 160 - 50, 100),
        Direction.UPSIDE_DOWN: (200 - 100, 160 - 90, 200 - 60, 160 - 50),
        Direction.TO_THE_LEFT: (50, 200 - 100, 90, 200 - 60),
    }
    expected = cut_surroundings(upright, _face(box), scale=1.5, size_px=30)
    seen = cut_surroundings(turned, _face(boxes[direction], direction), scale=1.5, size_px=30)
    # By a pixel or two: borders are rounded down in the photo, whichever side is up.
    assert np.abs(seen.astype(int) - expected.astype(int)).max() <= 3


def test_face_of_unclear_direction_stays_as_it_stands() -> None:
    photo = _gradient(100, 100)
    seen = cut_surroundings(photo, _face((40, 40, 60, 60), None), scale=2.0, size_px=41)
    assert np.array_equal(seen, photo[30:71, 30:71])
