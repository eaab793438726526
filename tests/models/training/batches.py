"""Random batches, with people who are alone, and with what the losses find hardest."""

import torch
from torch import Tensor

LABELS = {
    "people of three": [0, 0, 0, 1, 1, 1, 2, 2, 2],
    "some alone": [2, 0, 1, 0, 3, 0, 4, 1],
    "all alone": [0, 1, 2, 3, 4],
    "one person": [3, 3, 3, 3],
    "one row": [1],
    "more than a library's switch of method": [n % 5 for n in range(30)],
}
CLASSES = 5
DIMENSION = 6


def rows(count: int, *, seed: int) -> Tensor:
    """Random rows of lengths from a half to two, in double precision."""
    made = torch.Generator().manual_seed(seed)
    directions = torch.randn(count, DIMENSION, generator=made, dtype=torch.float64)
    lengths = 0.5 + 1.5 * torch.rand(count, 1, generator=made, dtype=torch.float64)
    return torch.nn.functional.normalize(directions) * lengths
