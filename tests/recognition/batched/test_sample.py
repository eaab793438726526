"""Pixels at other places are those of OpenCV, and of the sampler of the detectors on the CPU."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
import torch

from app.recognition.batched.pictures import Pictures, canvas_side
from app.recognition.batched.sample import Parts, between, enlarged, shrunk, touched_means
from app.recognition.detect.mtcnn.area import AreaSampler
from app.recognition.types import Pixels
from tests.kit.photos import astronaut, coffee, pixels

_CPU = torch.device("cpu")
_SMALL = pixels(coffee().resize((90, 61)))
_PHOTOS = (pixels(astronaut().resize((250, 200))), pixels(coffee()), _SMALL)


def _parts(corners: Sequence[tuple[int, ...]], sizes: Sequence[tuple[int, int]]) -> Parts:
    edges = torch.tensor(corners, dtype=torch.float64)
    return Parts(torch.arange(len(corners)), edges, torch.tensor(sizes))


@pytest.mark.parametrize(
    ("draw", "method"), [(shrunk, cv2.INTER_AREA), (enlarged, cv2.INTER_LINEAR)]
)
def test_parts_are_resized_as_by_opencv(draw: object, method: int) -> None:
    pictures = Pictures.uploaded(_PHOTOS, _CPU)
    corners = [(10, 20, 240, 190), (0, 0, 600, 400), (3, 1, 80, 61)]
    factor = 0.37 if method == cv2.INTER_AREA else 1.4
    sizes = [(round((x2 - x1) * factor), round((y2 - y1) * factor)) for x1, y1, x2, y2 in corners]
    assert callable(draw)
    found = draw(pictures, _parts(corners, sizes), 600, 900).round().byte().numpy()
    for drawn, photo, (x1, y1, x2, y2), size in zip(found, _PHOTOS, corners, sizes, strict=True):
        expected = cv2.resize(photo[y1:y2, x1:x2], size, interpolation=method)
        np.testing.assert_allclose(drawn[: size[1], : size[0]].astype(int), expected, atol=1)
        assert not drawn[size[1] :].any()
        assert not drawn[:, size[0] :].any()


def test_touched_areas_are_those_of_the_sampler() -> None:
    pictures = Pictures.uploaded(_PHOTOS, _CPU)
    boxes = np.array([[5, 7, 105, 90], [0, 0, 31, 30], [560, 380, 600, 400], [2, 3, 3, 4]])
    places = np.array([0, 2, 1, 2])
    found = touched_means(pictures, torch.from_numpy(places), torch.from_numpy(boxes), 48)
    for crop, place, box in zip(found.numpy(), places, boxes, strict=True):
        expected = AreaSampler(_PHOTOS[place]).crops(box[None], 48)[0]
        np.testing.assert_allclose(crop, expected, atol=1e-3)


def test_points_between_pixels_are_those_of_opencv() -> None:
    pictures = Pictures.uploaded([_SMALL], _CPU)
    x, y = np.meshgrid(np.arange(-3, 95, 0.75), np.arange(-3, 65, 1.25))
    expected = cv2.remap(
        _SMALL.astype(np.float32), x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR
    )
    at = (torch.from_numpy(some[None].astype(np.float32)) for some in (x, y))
    found = between(pictures.pixels, pictures.layout, *at)
    np.testing.assert_allclose(found[0].numpy(), expected, atol=0.01)


def test_sums_that_wrap_around_give_exact_means() -> None:
    bright: Pixels = np.full((3_100, 3_000, 3), 254, dtype=np.uint8)
    bright[3_000:] = 255  # beyond where the sums of int32 wrap
    pictures = Pictures.uploaded([bright], _CPU)
    assert (pictures.sums < 0).any()
    found = shrunk(pictures, _parts([(0, 0, 3_000, 3_100)], [(30, 31)]), 31, 30)
    np.testing.assert_allclose(found[0, :30].numpy(), 254, atol=0.05)
    np.testing.assert_allclose(found[0, 30].numpy(), 255, atol=0.05)


def test_canvases_of_nearly_equal_pictures_are_equal() -> None:
    assert [canvas_side(n) for n in (1, 32, 33, 128, 129, 250, 256, 257, 1_280)] == [
        32, 32, 64, 128, 160, 256, 256, 320, 1_280,
    ]  # fmt: skip
    for length in range(129, 3_000):
        assert length <= canvas_side(length) <= 1.25 * length
        assert canvas_side(length) % 32 == 0
