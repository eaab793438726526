"""Embeddings of the latest examples, for a batch to be paired with as well.

The cross-batch memory of Wang et al., 2020: a small step changes embeddings little, so those of the
last thousands of examples are nearly what the network would give now, and cost nothing.
"""

import torch
from torch import Tensor, nn


class Bank(nn.Module):
    """A ring of `size` examples; part of what a checkpoint keeps. Gradients do not pass it."""

    embeddings: Tensor
    labels: Tensor
    count: Tensor

    def __init__(self, size: int, dimension: int) -> None:
        super().__init__()
        self.register_buffer("embeddings", torch.zeros(size, dimension))
        self.register_buffer("labels", torch.zeros(size, dtype=torch.int64))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def others(self) -> tuple[Tensor, Tensor] | None:
        """Embeddings and labels of those that are kept; None where there are none yet.

        Copies: the next batch is kept before the gradients of this one are computed.
        """
        filled = min(int(self.count), len(self.labels))
        if not filled:
            return None
        return self.embeddings[:filled].clone(), self.labels[:filled].clone()

    def add(self, embeddings: Tensor, labels: Tensor) -> None:
        """Keep a batch, in the place of the oldest."""
        size = len(self.labels)
        if size:
            kept = slice(max(0, len(labels) - size), None)
            places = (int(self.count) + torch.arange(len(labels))[kept]) % size
            places = places.to(self.labels.device)
            self.embeddings[places] = embeddings.detach()[kept]
            self.labels[places] = labels[kept]
            self.count += len(labels)
