"""Pictures turned upright, and what is seen in them turned back, agree with turning the photo."""

import numpy as np
import pytest

from app.recognition.detect.direction import boxes_back, corrections_back, points_back, turn_upright

_DIRECTIONS = (0, 1, 2, 3)


@pytest.mark.parametrize("direction", _DIRECTIONS)
def test_marked_pixels_are_found_again_where_the_photo_has_them(direction: int) -> None:
    crop = np.zeros((1, 9, 9, 3), dtype=np.float32)
    crop[0, 2, 7] = 255  # y, x
    quarters = np.array([direction])
    upright = turn_upright(crop, quarters)
    y, x = np.argwhere(upright[0, :, :, 0])[0]
    seen = np.array([[[x, y]]], dtype=np.float32)
    back = points_back(seen, np.array([9], dtype=np.float32), quarters)
    assert back.tolist() == [[[7, 2]]]


@pytest.mark.parametrize("direction", _DIRECTIONS)
def test_box_seen_in_a_turned_photo_covers_the_same_pixels(direction: int) -> None:
    photo = np.zeros((20, 30), dtype=np.uint8)
    photo[3:8, 11:25] = 1
    ys, xs = np.nonzero(np.rot90(photo, direction))
    seen = np.array([[xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]])
    assert boxes_back(seen, direction, width=30, height=20).tolist() == [[11, 3, 25, 8]]


@pytest.mark.parametrize("direction", _DIRECTIONS)
def test_corrections_move_the_edges_that_they_were_seen_at(direction: int) -> None:
    side = 10
    upright_box = np.array([[0.0, 0.0, side, side]])
    seen = np.array([[0.1, -0.2, 0.3, 0.4]], dtype=np.float32)
    expected = boxes_back(upright_box + seen * side, direction, width=side, height=side)
    back = corrections_back(seen, np.array([direction]))
    np.testing.assert_allclose(upright_box + back * side, expected, atol=1e-5)


def test_each_picture_of_a_batch_is_turned_by_its_own_direction() -> None:
    pictures = np.arange(4 * 5 * 5 * 3, dtype=np.float32).reshape(4, 5, 5, 3)
    upright = turn_upright(pictures, np.array(_DIRECTIONS))
    for direction, picture, turned in zip(_DIRECTIONS, pictures, upright, strict=True):
        np.testing.assert_array_equal(turned, np.rot90(picture, direction))
