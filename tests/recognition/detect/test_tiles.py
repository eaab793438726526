"""Long photos are searched in parts that hold every face as a whole, and not in more than a few."""

import pytest

from app.recognition.detect.tiles import MOST_TILES, searched_side_px, tiles_of


@pytest.mark.parametrize("size", [(1, 1), (250, 250), (2_000, 1_000), (1_000, 2_000)])
def test_photo_that_is_not_long_is_searched_as_a_whole(size: tuple[int, int]) -> None:
    assert tiles_of(*size) == [(0, 0, *size)]
    assert searched_side_px(*size) == max(size)


@pytest.mark.parametrize("size", [(2_001, 1_000), (12_000, 1_500), (7_777, 1_001), (16_000, 1_000)])
def test_whatever_fits_the_shorter_side_lies_in_one_part(size: tuple[int, int]) -> None:
    width, height = size
    tiles = tiles_of(width, height)
    for begin in range(0, width - height + 1, 50):
        assert any(left <= begin and begin + height <= right for left, _, right, _ in tiles)
    assert all((top, bottom) == (0, height) for _, top, _, bottom in tiles)
    assert searched_side_px(width, height) <= 2 * height
    assert tiles[-1][2] == width


def test_tall_photo_has_the_parts_of_a_wide_one_turned() -> None:
    wide, tall = tiles_of(9_000, 1_000), tiles_of(1_000, 9_000)
    assert tall == [(top, left, bottom, right) for left, top, right, bottom in wide]


@pytest.mark.parametrize("size", [(100_000, 400), (400, 100_000), (100_000, 1), (1, 65_535)])
def test_photo_of_any_shape_has_few_parts_that_cover_it(size: tuple[int, int]) -> None:
    tiles = tiles_of(*size)
    assert len(tiles) == MOST_TILES
    assert tiles[0][:2] == (0, 0)
    assert tiles[-1][2:] == size
    for (left, top, *_), (_, _, right, bottom) in zip(tiles[1:], tiles, strict=False):
        assert left < right
        assert top < bottom
