"""Banks: stored embeddings that a batch is compared with.

This is the cross-batch memory of Wang et al., 2020: a small step changes embeddings little, so that
stored embeddings are nearly equal to those of the present network, and need no computation.
Training stores the latest examples, fine-tuning all photos.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


class Bank(nn.Module):
    """A ring buffer of `size` examples, without gradients; its state is part of a checkpoint."""

    embeddings: Tensor
    labels: Tensor
    count: Tensor

    def __init__(self, size: int, dimension: int) -> None:
        super().__init__()
        self.register_buffer("embeddings", torch.zeros(size, dimension))
        self.register_buffer("labels", torch.zeros(size, dtype=torch.int64))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def others(self) -> tuple[Tensor, Tensor] | None:
        """Copies of the stored embeddings and labels; None while there are none.

        They are copies, as the next batch is stored before the gradients of this one are computed.
        """
        filled = min(int(self.count), len(self.labels))
        if not filled:
            return None
        return self.embeddings[:filled].clone(), self.labels[:filled].clone()

    def add(self, embeddings: Tensor, labels: Tensor) -> None:
        """Store a batch in place of the oldest examples."""
        size = len(self.labels)
        if size:
            kept = slice(max(0, len(labels) - size), None)
            places = (int(self.count) + torch.arange(len(labels))[kept]) % size
            places = places.to(self.labels.device)
            self.embeddings[places] = embeddings.detach()[kept]
            self.labels[places] = labels[kept]
            self.count += len(labels)


class WholeBank:
    """Embeddings of length 1 of the first `copies` copies of N photos, (copies, N, D).

    A batch replaces its former embeddings; the others are from earlier states of the network.
    `labels` (copies * N,) is the person of each row, `places` (copies * N,) its photo.
    """

    def __init__(self, embeddings: Tensor, labels: Tensor) -> None:
        self._embeddings = embeddings
        copies, self.photos = embeddings.shape[:2]
        self.labels = labels.repeat(copies)
        self.places = torch.arange(self.photos, device=labels.device).repeat(copies)

    def rows(self) -> Tensor:
        """All embeddings, (copies * N, D)."""
        return self._embeddings.flatten(0, 1)

    def numpy(self) -> NDArray[np.float32]:
        return np.asarray(self._embeddings.cpu().numpy())

    def put(self, copies: NDArray[np.intp], places: NDArray[np.intp], embeddings: Tensor) -> None:
        """Store the embeddings (B, D) of a batch, except for copies that the bank does not have."""
        kept = torch.from_numpy(copies < len(self._embeddings))
        where = torch.from_numpy(copies)[kept], torch.from_numpy(places)[kept]
        self._embeddings[where] = embeddings.detach()[kept]
