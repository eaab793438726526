"""MTCNN's three networks (Zhang et al., 2016), ready to run.

Their inputs are pictures as they are: RGB, 0 to 255, channels last. The networks were trained on
`(pixel - 127.5) / 128`, which is folded into their first convolutions; these are not padded, so
nothing changes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.zoo.detectors.mtcnn_modules import OutputNet, ProposalNet, RefinementNet, load_modules

Floats = NDArray[np.float32]

_MOST_CROPS = 256  # in one forward pass; bounds its memory


class MtcnnNetworks(Protocol):
    """Safe to call from several threads at once."""

    def propose(self, picture: Floats) -> tuple[Floats, Floats]:
        """Of a picture (height, width, 3): a box's corrections (4, h, w) and the probability of a
        face (h, w) for every window of 12 pixels, two pixels apart."""
        ...

    def refine(self, crops: Floats) -> tuple[Floats, Floats]:
        """Of one or more crops (N, 24, 24, 3): corrections (N, 4) and probabilities (N,)."""
        ...

    def locate(self, crops: Floats) -> tuple[Floats, Floats, Floats]:
        """Of one or more crops (N, 48, 48, 3): corrections (N, 4), landmarks (N, 10: x of all
        five, then y; shares of the box) and probabilities (N,)."""
        ...


@dataclass(frozen=True, slots=True)
class MtcnnModules:
    """The PyTorch modules, ready for pixels."""

    proposals: ProposalNet
    refinement: RefinementNet
    output: OutputNet

    @classmethod
    def load(cls) -> "MtcnnModules":
        """Raises WeightsMissingError without the package that has their weights."""
        proposals, refinement, output = networks = load_modules()
        for network in networks:
            _take_pixels(network)
        return cls(proposals, refinement, output)


class TorchMtcnn:
    """The reference, on any device of PyTorch's."""

    def __init__(self, modules: MtcnnModules, *, device: str) -> None:
        self._device = torch.device(device)
        self._proposals, self._refinement, self._output = (
            module.to(self._device).to(memory_format=torch.channels_last)
            for module in (modules.proposals, modules.refinement, modules.output)
        )

    def propose(self, picture: Floats) -> tuple[Floats, Floats]:
        corrections, scores = self._run(self._proposals, picture[None])
        return corrections[0], scores[0, 1]

    def refine(self, crops: Floats) -> tuple[Floats, Floats]:
        corrections, scores = _in_pieces(lambda some: self._run(self._refinement, some), crops)
        return corrections, scores[:, 1]

    def locate(self, crops: Floats) -> tuple[Floats, Floats, Floats]:
        corrections, points, scores = _in_pieces(lambda some: self._run(self._output, some), crops)
        return corrections, points, scores[:, 1]

    def _run(self, module: nn.Module, pictures: Floats) -> list[Floats]:
        with torch.inference_mode():
            x = torch.from_numpy(pictures).to(self._device).permute(0, 3, 1, 2)
            return [result.cpu().numpy() for result in module(x)]


class OnnxMtcnn:
    """The same in ONNX Runtime, which is faster on a CPU. `graphs` are those of `mtcnn_onnx`."""

    def __init__(self, proposals: Any, refinement: Any, output: Any) -> None:  # noqa: ANN401
        """Takes sessions of ONNX Runtime."""
        self._proposals = proposals
        self._refinement = refinement
        self._output = output

    def propose(self, picture: Floats) -> tuple[Floats, Floats]:
        corrections, scores = self._proposals.run(None, {"pictures": picture[None]})
        return corrections[0], scores[0, 1]

    def refine(self, crops: Floats) -> tuple[Floats, Floats]:
        corrections, scores = _in_pieces(
            lambda some: self._refinement.run(None, {"pictures": some}), crops
        )
        return corrections, scores[:, 1]

    def locate(self, crops: Floats) -> tuple[Floats, Floats, Floats]:
        corrections, points, scores = _in_pieces(
            lambda some: self._output.run(None, {"pictures": some}), crops
        )
        return corrections, points, scores[:, 1]


def _in_pieces(run: Callable[[Floats], list[Floats]], crops: Floats) -> list[Floats]:
    if len(crops) <= _MOST_CROPS:
        return run(crops)
    pieces = [run(crops[i : i + _MOST_CROPS]) for i in range(0, len(crops), _MOST_CROPS)]
    return [np.concatenate(results) for results in zip(*pieces, strict=True)]


def _take_pixels(network: ProposalNet | RefinementNet | OutputNet) -> None:
    first = network.conv1
    assert first.bias is not None
    with torch.no_grad():
        first.bias -= first.weight.sum(dim=(1, 2, 3)) * (127.5 / 128)
        first.weight /= 128
    network.eval().requires_grad_(requires_grad=False)
