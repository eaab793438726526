"""MTCNN's three networks (Zhang et al., 2016), with the weights that facenet-pytorch ships.

They are written out here, because the import of that package takes as long as that of PyTorch: it
imports torchvision, and with it PyTorch's compiler.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from models.zoo.errors import WeightsMissingError

_LIBRARY = "facenet_pytorch"

Stage = tuple[nn.Conv2d, nn.PReLU, nn.MaxPool2d | None]


class CascadeNet(nn.Module):
    """A network of the cascade: `stages`, perhaps a `dense` layer with a PReLU, and `heads`.

    The heads are probabilities, corrections of boxes and, perhaps, landmarks. Parameters have the
    names of facenet-pytorch: layers are numbered, the heads within their number.
    """

    def __init__(
        self,
        stages: Sequence[tuple[int, int, int | None]],
        heads: Sequence[int],
        *,
        dense: tuple[int, int] | None = None,
    ) -> None:
        """A stage is (filters, kernel, kernel of the pooling); `dense` is (inputs, outputs)."""
        super().__init__()
        self.stages: list[Stage] = []
        width = 3
        for number, (filters, kernel, pooled) in enumerate(stages, start=1):
            conv, prelu = nn.Conv2d(width, filters, kernel), nn.PReLU(filters)
            self.add_module(f"conv{number}", conv)
            self.add_module(f"prelu{number}", prelu)
            pool = None if pooled is None else nn.MaxPool2d(pooled, 2, ceil_mode=True)
            self.stages.append((conv, prelu, pool))
            width = filters
        number = len(stages) + 1
        self.dense: tuple[nn.Linear, nn.PReLU] | None = None
        if dense is not None:
            self.dense = nn.Linear(*dense), nn.PReLU(dense[1])
            self.add_module(f"dense{number}", self.dense[0])
            self.add_module(f"prelu{number}", self.dense[1])
            width, number = dense[1], number + 1
        self.heads: list[nn.Conv2d | nn.Linear] = []
        for place, values in enumerate(heads, start=1):
            head = nn.Conv2d(width, values, 1) if dense is None else nn.Linear(width, values)
            self.add_module(f"{'conv' if dense is None else 'dense'}{number}_{place}", head)
            self.heads.append(head)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """The outputs of the heads, the probabilities last."""
        for conv, prelu, pool in self.stages:
            x = prelu(conv(x))
            x = x if pool is None else pool(x)
        if self.dense is not None:
            layer, prelu = self.dense
            # As in the training: columns first.
            x = prelu(layer(x.permute(0, 3, 2, 1).flatten(start_dim=1)))
        probabilities, *others = (head(x) for head in self.heads)
        return *others, probabilities.softmax(dim=1)


@dataclass(frozen=True, slots=True)
class MtcnnModules:
    """The three networks, for RGB pictures from 0 to 255.

    `proposals` takes windows of 12 pixels, two apart: corrections (N, 4, h, w), probabilities
    (N, 2, h, w). `refinement` takes crops of 24 pixels: corrections (N, 4), probabilities (N, 2).
    `output` takes crops of 48 pixels: corrections (N, 4), landmarks (N, 10), probabilities (N, 2).
    """

    proposals: CascadeNet
    refinement: CascadeNet
    output: CascadeNet

    @classmethod
    def load(cls) -> "MtcnnModules":
        """Raises WeightsMissingError without the package that has their weights."""
        networks = (
            CascadeNet([(10, 3, 2), (16, 3, None), (32, 3, None)], [2, 4]),
            CascadeNet([(28, 3, 3), (48, 3, 3), (64, 2, None)], [2, 4], dense=(576, 128)),
            CascadeNet(
                [(32, 3, 3), (64, 3, 3), (64, 3, 2), (128, 2, None)], [2, 4, 10], dense=(1152, 256)
            ),
        )
        for network, path in zip(networks, weights_files(), strict=True):
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            network.load_state_dict(state, strict=True)
            _take_pixels(network)
        return cls(*networks)


def weights_files() -> tuple[Path, Path, Path]:
    """The files of the three networks in the package, which is not imported.

    Raises WeightsMissingError without the package.
    """
    package = find_spec(_LIBRARY)
    if package is None or package.origin is None:
        raise WeightsMissingError("there is no package facenet-pytorch; install Vultus again")
    folder = Path(package.origin).parent / "data"
    return folder / "pnet.pt", folder / "rnet.pt", folder / "onet.pt"


def _take_pixels(network: CascadeNet) -> None:
    """Fold the normalisation of pixels, (pixel - 127.5) / 128, into the first convolution.

    This convolution has no padding, so that the results are the same.
    """
    first = network.stages[0][0]
    assert first.bias is not None
    with torch.no_grad():
        first.bias -= first.weight.sum(dim=(1, 2, 3)) * (127.5 / 128)
        first.weight /= 128
    network.eval().requires_grad_(requires_grad=False)
