"""Pixels of pictures at other places than their own: means of areas, and between four pixels.

Each function takes many parts of many pictures at once. Coordinates are those of OpenCV: edges of
pixels count from 0, and the centre of the first pixel is at 0.5 of these, or at 0 of "centres".
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from app.recognition.batched.pictures import Layout, Pictures


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts of pictures and the size in which each is wanted. One element a part, on the device.

    `places` (N,) are those of the pictures (int64), `corners` (N, 4) the edges left, top, right and
    bottom (float64), inside the picture, and `sizes` (N, 2) columns and rows (int64).
    """

    places: Tensor
    corners: Tensor
    sizes: Tensor

    def edges(self, axis: int, most: int) -> Tensor:
        """Edges (N, most + 1) of the areas along x (0) or y (1); those beyond are at the end."""
        steps = torch.arange(most + 1, device=self.corners.device, dtype=torch.float64)
        return self._along(axis, steps)

    def centres(self, axis: int, most: int) -> Tensor:
        """Centres (N, most) of the areas along x (0) or y (1), at most at the last pixel's."""
        steps = torch.arange(most, device=self.corners.device, dtype=torch.float64) + 0.5
        begin, end = self.corners[:, axis, None], self.corners[:, axis + 2, None]
        return torch.minimum(torch.maximum(self._along(axis, steps) - 0.5, begin), end - 1)

    def _along(self, axis: int, steps: Tensor) -> Tensor:
        begin, end = self.corners[:, axis, None], self.corners[:, axis + 2, None]
        return begin + (end - begin) * (steps / self.sizes[:, axis, None]).clamp(max=1.0)


def shrunk(pictures: Pictures, parts: Parts, height: int, width: int) -> Tensor:
    """The parts, reduced by averaging areas: float32 (N, height, width, 3), 0 to 255.

    It is OpenCV's INTER_AREA, without its rounding. `height` and `width` are at least the rows and
    columns of every part; what a part does not fill is 0.
    """
    across, down = parts.edges(0, width), parts.edges(1, height)
    layout = pictures.layout.of(parts.places)
    x0 = across.floor().long()
    y0 = down.floor().long()
    x_share = (across - x0).float()[:, None, :, None]
    y_share = (down - y0).float()[:, :, None, None]
    x1 = torch.minimum(x0 + 1, layout.widths[:, None])
    y1 = torch.minimum(y0 + 1, layout.heights[:, None])
    first, right, below, both = (
        _taken(pictures.sums, layout, x[:, None, :], y[:, :, None])
        for y, x in ((y0, x0), (y0, x1), (y1, x0), (y1, x1))
    )
    # Whole sums are large and their differences exact; only shares of a pixel are floats.
    rest = (right - first).float() * x_share
    rest += (below - first).float() * y_share
    rest += (both - right - below + first).float() * (x_share * y_share)
    sums = _differences(first).float() + _differences(rest)
    areas = across.diff(dim=1)[:, None, :] * down.diff(dim=1)[:, :, None]
    return sums * torch.where(areas > 0, areas.reciprocal(), 0.0).float()[..., None]


def touched_means(pictures: Pictures, places: Tensor, boxes: Tensor, side: int) -> Tensor:
    """Boxes (N, 4) of whole pixels x1, y1, x2, y2, as PyTorch's adaptive average pooling shrinks
    them: float32 (N, side, side, 3), the mean of all pixels that an area touches."""
    layout = pictures.layout.of(places)
    steps = torch.arange(side + 1, device=boxes.device)
    lengths = (boxes[:, 2:] - boxes[:, :2])[:, :, None] * steps
    begins = boxes[:, :2, None] + lengths[:, :, :-1].div(side, rounding_mode="floor")
    ends = boxes[:, :2, None] - (-lengths[:, :, 1:]).div(side, rounding_mode="floor")
    (lefts, tops), (rights, bottoms) = (
        (edges[:, 0, None, :], edges[:, 1, :, None]) for edges in (begins, ends)
    )
    sums = _taken(pictures.sums, layout, rights, bottoms)
    sums -= _taken(pictures.sums, layout, rights, tops)
    sums -= _taken(pictures.sums, layout, lefts, bottoms)
    sums += _taken(pictures.sums, layout, lefts, tops)
    areas = (rights - lefts) * (bottoms - tops)
    return sums.float() / areas[..., None].float()


def enlarged(pictures: Pictures, parts: Parts, height: int, width: int) -> Tensor:
    """The parts, enlarged as by OpenCV's INTER_LINEAR, without its rounding; as `shrunk`."""
    x, y = parts.centres(0, width), parts.centres(1, height)
    layout = pictures.layout.of(parts.places)
    found = between(pictures.pixels, layout, x[:, None, :].float(), y[:, :, None].float())
    columns = torch.arange(width, device=x.device) < parts.sizes[:, :1]
    rows = torch.arange(height, device=x.device) < parts.sizes[:, 1:]
    return found * (columns[:, None, :] & rows[:, :, None])[..., None]


def between(pixels: Tensor, layout: Layout, x: Tensor, y: Tensor) -> Tensor:
    """Values between the four pixels around points, each in its picture; black outside of it.

    `pixels` (K, 3) are 0 to 255; `x` and `y` are float32 centres, (N, rows, columns) or what can be
    broadcast to it. Returns float32 (N, rows, columns, 3).
    """
    x0, y0 = x.floor(), y.floor()
    x_share, y_share = x - x0, y - y0
    left, top = x0.long(), y0.long()
    widths, heights = layout.widths[:, None, None], layout.heights[:, None, None]
    found: Tensor | None = None
    for row, row_share in ((top, 1 - y_share), (top + 1, y_share)):
        row_there = (row >= 0) & (row < heights)
        row_inside = torch.minimum(row.clamp(min=0), heights - 1)
        for column, share in ((left, 1 - x_share), (left + 1, x_share)):
            there = row_there & (column >= 0) & (column < widths)
            inside = torch.minimum(column.clamp(min=0), widths - 1)
            values = _taken(pixels, layout, inside, row_inside).float()
            values *= (row_share * share * there)[..., None]
            found = values if found is None else found.add_(values)
    assert found is not None
    return found


def _taken(buffer: Tensor, layout: Layout, x: Tensor, y: Tensor) -> Tensor:
    """The rows of a buffer at points (N, rows, columns) of the pictures."""
    places = layout.starts[:, None, None] + y * layout.strides[:, None, None] + x
    return buffer[places]


def _differences(sums: Tensor) -> Tensor:
    """The sums of cells, of the sums at their corners (N, rows + 1, columns + 1, 3)."""
    return sums[:, 1:, 1:] - sums[:, :-1, 1:] - sums[:, 1:, :-1] + sums[:, :-1, :-1]
