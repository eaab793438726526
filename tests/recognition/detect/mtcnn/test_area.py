"""Areas are averaged as PyTorch's adaptive pooling does, on which the networks were measured."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from app.recognition.detect.mtcnn import area
from app.recognition.detect.mtcnn.area import AreaSampler
from tests.kit.photos import hopper, pixels

PHOTO = pixels(hopper())


def _pooled(part: NDArray[np.uint8], height: int, width: int) -> NDArray[np.float32]:
    planes = torch.from_numpy(part.astype(np.float64)).permute(2, 0, 1)[None]
    pooled = functional.interpolate(planes, size=(height, width), mode="area")
    return pooled[0].permute(1, 2, 0).numpy().astype(np.float32)


@pytest.mark.parametrize("size", [(181, 154), (600, 512), (12, 11), (1, 1), (601, 700)], ids=str)
def test_a_shrunk_picture_is_that_of_adaptive_pooling(size: tuple[int, int]) -> None:
    found = AreaSampler(PHOTO).shrunk(*size)
    assert (found.shape, found.dtype) == ((*size, 3), np.dtype(np.float32))
    np.testing.assert_allclose(found, _pooled(PHOTO, *size), rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize("side", [24, 48])
def test_crops_are_those_of_adaptive_pooling_one_by_one(side: int) -> None:
    rng = np.random.default_rng(0)
    corners = rng.integers(0, 400, (20, 2))
    boxes = np.concatenate([corners, corners + rng.integers(1, 112, (20, 2))], axis=1)
    boxes = np.concatenate([boxes, [[0, 0, 512, 600], [511, 599, 512, 600]]])
    found = AreaSampler(PHOTO).crops(boxes, side)
    assert (found.shape, found.dtype) == ((22, side, side, 3), np.dtype(np.float32))
    for crop, (x1, y1, x2, y2) in zip(found, boxes, strict=True):
        expected = _pooled(PHOTO[y1:y2, x1:x2], side, side)
        np.testing.assert_allclose(crop, expected, rtol=1e-6, atol=1e-4)


def test_no_boxes_give_no_crops() -> None:
    assert AreaSampler(PHOTO).crops(np.empty((0, 4), dtype=np.int64), 24).shape == (0, 24, 24, 3)


def test_a_picture_too_large_for_whole_sums_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = AreaSampler(PHOTO)
    monkeypatch.setattr(area, "_INT32_SUMS_UP_TO", 1)
    found = AreaSampler(PHOTO)
    np.testing.assert_array_equal(found.shrunk(97, 61), expected.shrunk(97, 61))
    box = np.array([[3, 5, 400, 333]])
    np.testing.assert_array_equal(found.crops(box, 24), expected.crops(box, 24))
