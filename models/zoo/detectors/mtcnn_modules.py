"""MTCNN's three networks in PyTorch, on any of its devices: the reference (Zhang et al., 2016)."""

from functools import partial

import torch
from torch import Tensor, nn

from models.zoo.detectors.mtcnn import Floats, MtcnnNetworks
from models.zoo.detectors.mtcnn_weights import Cascade, CascadeShape, MtcnnWeights
from models.zoo.weights.module_weights import with_arrays

Stage = tuple[nn.Conv2d, nn.PReLU, nn.MaxPool2d | None]


def torch_mtcnn(weights: MtcnnWeights, *, device: str) -> MtcnnNetworks:
    """The networks in PyTorch."""
    place = torch.device(device)
    cascades = (weights.proposals, weights.refinement, weights.output)

    def run(module: nn.Module, pictures: Floats) -> list[Floats]:
        with torch.inference_mode():
            x = torch.from_numpy(pictures).to(place).permute(0, 3, 1, 2)
            return [result.cpu().numpy() for result in module(x)]

    return MtcnnNetworks(*(partial(run, cascade_module(one, device=place)) for one in cascades))


def cascade_module(cascade: Cascade, *, device: torch.device) -> "CascadeNet":
    """A network of the cascade, ready to run on pictures (N, 3, height, width)."""
    return CascadeNet.of(cascade).to(device).to(memory_format=torch.channels_last)


class CascadeNet(nn.Module):
    """A network of the cascade: stages, perhaps a dense layer with a PReLU, and heads."""

    def __init__(self, shape: CascadeShape) -> None:
        super().__init__()
        self.stages: list[Stage] = []
        width = 3
        for number, (filters, kernel, pooled) in enumerate(shape.stages, start=1):
            conv, prelu = nn.Conv2d(width, filters, kernel), nn.PReLU(filters)
            self.add_module(f"conv{number}", conv)
            self.add_module(f"prelu{number}", prelu)
            pool = None if pooled is None else nn.MaxPool2d(pooled, 2, ceil_mode=True)
            self.stages.append((conv, prelu, pool))
            width = filters
        self.dense: tuple[nn.Linear, nn.PReLU] | None = None
        if shape.dense is not None:
            self.dense = nn.Linear(*shape.dense), nn.PReLU(shape.dense[1])
            self.add_module(f"dense{shape.dense_number}", self.dense[0])
            self.add_module(f"prelu{shape.dense_number}", self.dense[1])
            width = shape.dense[1]
        self.heads: list[nn.Conv2d | nn.Linear] = []
        for name, values in zip(shape.head_names, shape.heads, strict=True):
            head = nn.Conv2d(width, values, 1) if shape.dense is None else nn.Linear(width, values)
            self.add_module(name, head)
            self.heads.append(head)

    @classmethod
    def of(cls, cascade: Cascade) -> "CascadeNet":
        """The network with its weights, ready to run."""
        network = with_arrays(cls(cascade.shape), cascade.arrays, "MTCNN")
        return network.requires_grad_(requires_grad=False)

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
