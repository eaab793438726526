"""A PyTorch module as a `Network`."""

import numpy as np
import torch
from torch import Tensor, nn

from models.zoo.network import Crops, Embeddings, NetworkSpec, Precision
from models.zoo.serving.backends import Backend


class TorchNetwork:
    """A module on a device; on CUDA optionally in half precision.

    Weights and input are channels-last, as crops are; convolutions are fastest with it.
    """

    runtime: Backend = "torch"

    def __init__(
        self, spec: NetworkSpec, module: nn.Module, digest: str, *, device: str, half: bool
    ) -> None:
        self.spec = spec
        self.digest = digest
        self.device = device
        is_half = half and device == "cuda"
        self.precision: Precision = "float16" if is_half else "float32"
        self._dtype = torch.float16 if is_half else torch.float32
        placed = module.eval().to(device=torch.device(device), dtype=self._dtype)
        self._module = placed.to(memory_format=torch.channels_last)
        self._mean = torch.tensor(spec.input.mean, device=device)[None, :, None, None]
        self._std = torch.tensor(spec.input.std, device=device)[None, :, None, None]

    def forward(self, crops: Crops) -> Embeddings:
        with torch.inference_mode():
            rows = self.embed(torch.from_numpy(crops).to(self.device)).cpu().numpy()
        return np.asarray(rows, dtype=np.float32)

    def embed(self, crops: Tensor) -> Tensor:
        """`forward` of crops (N, size, size, 3) that are on the device, as the rows are."""
        pixels = crops.permute(0, 3, 1, 2).float()
        # Pixels are normalised in float32 also when the network runs in half precision.
        x = ((pixels - self._mean) / self._std).to(self._dtype)
        return self._module(x).float()  # type: ignore[no-any-return]
