"""Embeddings of all photos there are, for a batch to be compared with."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.training.tuning.features import Features
from models.training.tuning.look_alikes import Places


class WholeBank:
    """Embeddings of length 1 of the first `copies` copies of N photos, (copies, N, D).

    A batch takes the place of what it was before; the rest are as the network was when they were
    computed. `labels` and `places`, (copies * N,), tell whom and which photo each row shows.
    """

    def __init__(self, embeddings: Tensor, labels: Tensor) -> None:
        self._embeddings = embeddings
        copies, self.photos = embeddings.shape[:2]
        self.labels = labels.repeat(copies)
        self.places = torch.arange(self.photos, device=labels.device).repeat(copies)

    def rows(self) -> Tensor:
        """(copies * N, D)."""
        return self._embeddings.flatten(0, 1)

    def numpy(self) -> NDArray[np.float32]:
        return np.asarray(self._embeddings.cpu().numpy())

    def put(self, copies: NDArray[np.intp], places: Places, embeddings: Tensor) -> None:
        """Of a batch; copies that are not kept are left out."""
        kept = torch.from_numpy(copies < len(self._embeddings))
        where = torch.from_numpy(copies)[kept], torch.from_numpy(places)[kept]
        self._embeddings[where] = embeddings.detach()[kept]


def fill_bank(
    embed: Callable[[Tensor], Tensor], features: Features, labels: Tensor, *, copies: int
) -> WholeBank:
    """`embed` maps features, float32, to embeddings of length 1."""
    with torch.inference_mode():
        rows = [torch.cat([embed(part) for part in in_parts(one)]) for one in features[:copies]]
    return WholeBank(torch.stack(rows).clone(), labels)


def in_parts(features: NDArray[np.float16], size: int = 256) -> list[Tensor]:
    """So that not all are in memory as float32 at once."""
    starts = range(0, len(features), size)
    return [torch.from_numpy(features[start : start + size].astype(np.float32)) for start in starts]
