"""YuNet, ready to run on RGB pictures from 0 to 255, channels last.

The sides of a picture must be multiples of 32. The result is a score and a box for each cell of
three levels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

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


class YunetNetwork(Protocol):
    """YuNet in any runtime; several threads may call it at once."""

    def look(self, pictures: Pictures) -> Sequence[Cells]:
        """Three levels, from fine to coarse, of one or more pictures."""
        ...


class TorchYunet:
    """YuNet in PyTorch, on any of its devices: the reference."""

    def __init__(self, module: Yunet, *, device: str) -> None:
        self._device = torch.device(device)
        self._module = module.to(self._device).to(memory_format=torch.channels_last)

    def look(self, pictures: Pictures) -> Sequence[Cells]:
        with torch.inference_mode():
            x = torch.from_numpy(np.ascontiguousarray(pictures)).to(self._device)
            levels = self._module(x.permute(0, 3, 1, 2).float())
            cells = []
            for stride, level in zip(STRIDES, levels, strict=True):
                scores = (level[:, 0].sigmoid() * level[:, 5].sigmoid()).sqrt()
                cells.append(Cells(stride, scores.cpu().numpy(), level[:, 1:5].cpu().numpy()))
        return cells


class OnnxYunet:
    """YuNet in ONNX Runtime, which is faster on a CPU; `yunet_onnx` makes the graph."""

    def __init__(self, session: Any) -> None:  # noqa: ANN401
        """`session` is one of ONNX Runtime."""
        self._session = session

    def look(self, pictures: Pictures) -> Sequence[Cells]:
        results = self._session.run(None, {"pictures": np.ascontiguousarray(pictures)})
        return [
            Cells(stride, scores[:, 0], boxes)
            for stride, scores, boxes in zip(STRIDES, results[0::2], results[1::2], strict=True)
        ]
