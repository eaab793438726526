"""YuNet, ready to run on RGB pictures from 0 to 255, channels last.

The sides of a picture must be multiples of 32. The result is a score and a box for each cell of
three levels.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from models.zoo.detectors.yunet_modules import STRIDES, Yunet

Floats = NDArray[np.float32]
Pictures = NDArray[np.uint8]
"""(N, height, width, 3)."""


@dataclass(frozen=True, slots=True)
class Cells:
    """One level of the pictures. `scores` (N, h, w) are 0 to 1: the square root of the probability
    of a face, times that of an object. `boxes` (N, 4, h, w) are the centre's distance from the
    cell's corner, then the logarithms of width and height; all in strides."""

    stride: int
    scores: Floats
    boxes: Floats


@dataclass(frozen=True, slots=True)
class YunetNetwork:
    """YuNet in any runtime; several threads may call it at once.

    `run` returns scores (N, h, w) and boxes (N, 4, h, w) for each level.
    """

    run: Callable[[Pictures], Iterable[tuple[Floats, Floats]]]

    def look(self, pictures: Pictures) -> Sequence[Cells]:
        """Three levels, from fine to coarse, of one or more pictures."""
        levels = self.run(np.ascontiguousarray(pictures))
        return [
            Cells(stride, scores, boxes)
            for stride, (scores, boxes) in zip(STRIDES, levels, strict=True)
        ]


def torch_yunet(module: Yunet, *, device: str) -> YunetNetwork:
    """YuNet in PyTorch, on any of its devices: the reference."""
    place = torch.device(device)
    module = module.to(place).to(memory_format=torch.channels_last)

    def run(pictures: Pictures) -> list[tuple[Floats, Floats]]:
        found = []
        with torch.inference_mode():
            x = torch.from_numpy(pictures).to(place).permute(0, 3, 1, 2).float()
            for level in module(x):
                scores = (level[:, 0].sigmoid() * level[:, 5].sigmoid()).sqrt()
                found.append((scores.cpu().numpy(), level[:, 1:5].cpu().numpy()))
        return found

    return YunetNetwork(run)
