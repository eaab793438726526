"""Pictures of any sizes on a device, in one buffer, with their integral images (Crow, 1984).

Pictures lie on canvases. Canvases of pictures of about the same size have the same size, so that
the integral images of all of them are made at once. Sums are int32 and wrap around; differences of
them are exact as long as an area has fewer than 8 million pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.recognition.types import Pixels

_SMALL_PX = 128
_STEP_PX = 32


def canvas_side(length: int) -> int:
    """The side of the canvas for a picture's side: a multiple of 32, at most a quarter longer
    where the picture has more than 128 pixels."""
    step = _STEP_PX if length <= _SMALL_PX else 1 << ((length - 1).bit_length() - 3)
    return -(-length // step) * step


def canvas_sides(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """`canvas_side` of each length."""
    known = {int(length): canvas_side(int(length)) for length in np.unique(lengths)}
    return np.array([known[length] for length in lengths.tolist()], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where pixels lie in a buffer. All tensors have one element a picture, on the device."""

    starts: Tensor
    """Place of the first pixel, int64."""
    strides: Tensor
    """Pixels from a row to the next, int64."""
    widths: Tensor
    heights: Tensor

    def of(self, places: Tensor) -> "Layout":
        return Layout(*(values[places] for values in self._columns))

    @property
    def _columns(self) -> tuple[Tensor, ...]:
        return self.starts, self.strides, self.widths, self.heights


@dataclass(frozen=True, slots=True)
class Pictures:
    """`pixels` (K, 3) are uint8, `sums` (K, 3) int32: at the place of a pixel, those of all pixels
    above and to the left of it. `sizes` (N, 2) are widths and heights, on the host."""

    pixels: Tensor
    sums: Tensor
    layout: Layout
    sizes: NDArray[np.int64]

    @property
    def device(self) -> torch.device:
        return self.pixels.device

    def __len__(self) -> int:
        return len(self.sizes)

    @classmethod
    def uploaded(cls, pictures: Sequence[Pixels], device: torch.device) -> "Pictures":
        """Copy RGB pictures (height, width, 3) to the device, in one copy."""
        sizes = np.array([picture.shape[1::-1] for picture in pictures], dtype=np.int64)
        plan = _Plan.of(sizes)
        staged = torch.empty((plan.pixels, 3), dtype=torch.uint8, pin_memory=device.type == "cuda")
        buffer = staged.numpy()
        for picture, (width, height), start, stride in zip(
            pictures, sizes.tolist(), plan.starts.tolist(), plan.strides.tolist(), strict=True
        ):
            rows = buffer[start : start + height * stride].reshape(height, stride, 3)
            rows[:, :width] = picture
        return plan.pictures(staged.to(device, non_blocking=True))

    @classmethod
    def of_stack(cls, stack: Tensor, sizes: NDArray[np.int64]) -> "Pictures":
        """Pictures (N, height, width, 3) that are on the device, each of its own size in the upper
        left corner."""
        count, height, width = stack.shape[:3]
        padded = stack.new_zeros((count, height + 1, width + 1, 3))
        padded[:, :height, :width] = stack
        places = np.arange(count) * ((height + 1) * (width + 1))
        plan = _Plan(
            sizes,
            places,
            np.full(count, width + 1),
            padded.numel() // 3,
            [(0, count, height + 1, width + 1)],
        )
        return plan.pictures(padded.reshape(-1, 3))


@dataclass(frozen=True, slots=True)
class _Plan:
    sizes: NDArray[np.int64]
    starts: NDArray[np.int64]
    strides: NDArray[np.int64]
    pixels: int
    canvases: list[tuple[int, int, int, int]]
    """First pixel, number, height and width of the canvases of each size."""

    @classmethod
    def of(cls, sizes: NDArray[np.int64]) -> "_Plan":
        # One more row and column, as there are more sums than pixels.
        sides = canvas_sides(sizes.reshape(-1)).reshape(-1, 2) + 1
        kinds, kind_of = np.unique(sides, axis=0, return_inverse=True)
        order = np.argsort(kind_of.reshape(-1), kind="stable")
        areas = sides.prod(axis=1)[order]
        starts = np.empty(len(sizes), dtype=np.int64)
        starts[order] = np.cumsum(areas) - areas
        canvases, start = [], 0
        for (width, height), count in zip(
            kinds.tolist(), np.bincount(kind_of.reshape(-1)).tolist(), strict=True
        ):
            canvases.append((start, count, height, width))
            start += count * height * width
        return cls(sizes, starts, sides[:, 0], start, canvases)

    def pictures(self, pixels: Tensor) -> Pictures:
        sums = torch.zeros((self.pixels, 3), dtype=torch.int32, device=pixels.device)
        for start, count, height, width in self.canvases:
            shape = (count, height, width, 3)
            end = start + count * height * width
            canvas = pixels[start:end].view(shape)[:, :-1, :-1]
            down = canvas.cumsum(1, dtype=torch.int32)
            sums[start:end].view(shape)[:, 1:, 1:] = down.cumsum(2, dtype=torch.int32)
        return Pictures(pixels, sums, self._layout(pixels.device), self.sizes)

    def _layout(self, device: torch.device) -> Layout:
        columns = np.stack([self.starts, self.strides, self.sizes[:, 0], self.sizes[:, 1]])
        return Layout(*on_device(columns, device).unbind())


def on_device(values: NDArray[Any], device: torch.device) -> Tensor:
    """Copy an array to the device, without a wait for what the device is doing."""
    tensor = torch.from_numpy(np.ascontiguousarray(values))
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor
