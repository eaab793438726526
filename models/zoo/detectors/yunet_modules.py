"""YuNet in PyTorch, on any of its devices: the reference (Wu, Peng and Yu, 2023).

The network is made of pairs of a pointwise and a depthwise 3x3 convolution: a backbone, a feature
pyramid of three levels, and a head for each level.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.zoo.detectors.yunet import Floats, Pictures, YunetNetwork
from models.zoo.detectors.yunet_weights import (
    CELL_VALUES,
    LOW_WIDTHS,
    STEM_FILTERS,
    STRIDES,
    WIDTH,
)
from models.zoo.weights.arrays import Arrays
from models.zoo.weights.module_weights import with_arrays


def torch_yunet(weights: Arrays, *, device: str) -> YunetNetwork:
    """YuNet in PyTorch. Raises WeightsInvalidError for weights of another network."""
    place = torch.device(device)
    module = yunet_module(weights, device=place)

    def run(pictures: Pictures) -> list[tuple[Floats, Floats]]:
        found = []
        with torch.inference_mode():
            x = torch.from_numpy(pictures).to(place).permute(0, 3, 1, 2).float()
            for level in module(x):
                scores = (level[:, 0].sigmoid() * level[:, 5].sigmoid()).sqrt()
                found.append((scores.cpu().numpy(), level[:, 1:5].cpu().numpy()))
        return found

    return YunetNetwork(run)


def yunet_module(weights: Arrays, *, device: torch.device) -> "Yunet":
    """The module, ready to run. Raises WeightsInvalidError for weights of another network."""
    module = with_arrays(Yunet(), weights, "YuNet").requires_grad_(requires_grad=False)
    return module.to(device).to(memory_format=torch.channels_last)


class Separable(nn.Module):
    """A pointwise convolution, then a depthwise 3x3 one."""

    def __init__(self, inputs: int, filters: int) -> None:
        super().__init__()
        self.pointwise = nn.Conv2d(inputs, filters, 1)
        self.depthwise = nn.Conv2d(filters, filters, 3, padding=1, groups=filters)

    def forward(self, x: Tensor) -> Tensor:
        return self.depthwise(self.pointwise(x))  # type: ignore[no-any-return]


class Yunet(nn.Module):
    """Maps pictures (N, 3, H, W), RGB from 0 to 255 with sides that are multiples of 32, to three
    maps (N, 6, H / stride, W / stride)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, STEM_FILTERS, 3, stride=2, padding=1)
        self.first = Separable(STEM_FILTERS, STEM_FILTERS)
        self.low = nn.ModuleList(Separable(*widths) for widths in LOW_WIDTHS)
        self.levels = nn.ModuleList(
            nn.ModuleList(Separable(WIDTH, WIDTH) for _ in range(2)) for _ in STRIDES
        )
        self.laterals = nn.ModuleList(Separable(WIDTH, WIDTH) for _ in STRIDES)
        self.heads = nn.ModuleList(Separable(WIDTH, CELL_VALUES) for _ in STRIDES)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = functional.relu(self.first(functional.relu(self.stem(x))))
        x = functional.max_pool2d(x, 2)
        for unit in self.low:
            x = functional.relu(unit(x))
        fine, middle, coarse = self._levels(x)
        coarse = functional.relu(self.laterals[2](coarse))
        middle = functional.relu(self.laterals[1](middle + _twice(coarse)))
        fine = functional.relu(self.laterals[0](fine + _twice(middle)))
        return self.heads[0](fine), self.heads[1](middle), self.heads[2](coarse)

    def _levels(self, x: Tensor) -> list[Tensor]:
        found = []
        for units in self.levels:
            x = functional.max_pool2d(x, 2)
            for unit in units:  # type: ignore[attr-defined]
                x = functional.relu(unit(x))
            found.append(x)
        return found


def _twice(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2, mode="nearest")
