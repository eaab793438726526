"""What every loss is, and what the losses have in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.training.errors import MinedTuplesError
from models.training.options import Options
from models.training.tuples import (
    MinedTuples,
    Pairs,
    Triplets,
    all_pairs,
    all_triplets,
    as_pairs,
    as_triplets,
)


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as a loss sees it: float32 or float64, and normalised if the loss needs that.

    `embeddings` is (N, D) and `labels` (N,); `everyone` (N + M, D) is the batch, followed by the
    others that it is compared with, and `everyone_labels` are their people.
    """

    embeddings: Tensor
    labels: Tensor
    everyone: Tensor
    everyone_labels: Tensor
    mined: MinedTuples | None

    def pairs(self) -> Pairs:
        """Those that were mined, or all."""
        if self.mined is None:
            return all_pairs(self.labels, self.everyone_labels)
        return as_pairs(self.mined)

    def triplets(self) -> Triplets:
        """Those that were mined, or all."""
        if self.mined is None:
            return all_triplets(self.labels, self.everyone_labels)
        return as_triplets(self.mined)


class TrainingLoss(nn.Module, ABC):
    """A number to be made small, with what is learned for it only: class weights, thresholds.

    `normalised` says that embeddings are brought to length 1 first; `mined` that pairs or triplets
    may be chosen for it.
    """

    normalised: ClassVar[bool]
    mined: ClassVar[bool]

    def forward(
        self,
        embeddings: Tensor,
        labels: Tensor,
        *,
        pairs: MinedTuples | None = None,
        others: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        """The loss, a scalar, of embeddings (N, D) as the network gives them and labels (N,) int64.

        `pairs` are what a miner chose; without, all pairs or triplets count. `others` are further
        embeddings and their labels, of other processes or of a bank, for rows of the batch to be
        paired with; heads with weights of classes do not look at them. Computed in float32 at
        least, also under autocast. Where nothing is to be compared, it is 0, with a gradient of 0.

        Raises MinedTuplesError when tuples are given to a loss that has none.
        """
        if pairs is not None and not self.mined:
            raise MinedTuplesError(
                f"{type(self).__name__} is not made of pairs or triplets: leave the miner out"
            )
        with torch.autocast(embeddings.device.type, enabled=False):
            rows = self._prepared(embeddings)
            everyone, everyone_labels = rows, labels
            if others is not None:
                everyone = torch.cat([rows, self._prepared(others[0]).to(rows)])
                everyone_labels = torch.cat([labels, others[1].to(labels)])
            found = self.loss(Batch(rows, labels, everyone, everyone_labels, pairs))
            # What no term of it depends on has a gradient too: of 0, not none at all.
            return found + _nothing(embeddings, *self.parameters())

    @abstractmethod
    def loss(self, batch: Batch) -> Tensor:
        """The loss of a prepared batch."""

    def _prepared(self, embeddings: Tensor) -> Tensor:
        if embeddings.dtype in (torch.float16, torch.bfloat16):
            embeddings = embeddings.float()
        return functional.normalize(embeddings) if self.normalised else embeddings


@dataclass(frozen=True, slots=True)
class LossSpec:
    """A loss as its users know it.

    `equation` is plain text, and `source` the paper. `options` has the bounds and the description
    of each. `needs_labels_as_classes` says that it learns something for each class, so that labels
    are 0 up to the number of classes, and all known beforehand. `build` makes a `loss`, by the
    dimension of embeddings, the number of classes, and the options.
    """

    name: str
    title: str
    equation: str
    source: str
    options: type[Options]
    loss: type[TrainingLoss]
    needs_labels_as_classes: bool
    build: Callable[[int, int, Any], TrainingLoss]

    @property
    def normalised(self) -> bool:
        """Whether it looks at embeddings of length 1; it divides by the length itself."""
        return self.loss.normalised

    @property
    def mined(self) -> bool:
        """Whether a miner may choose its pairs or triplets."""
        return self.loss.mined


def mean(values: Tensor) -> Tensor:
    """The mean, and 0 of none."""
    return values.sum() / max(values.numel(), 1)


def mean_of_positive(values: Tensor) -> Tensor:
    """The mean of those above 0, and 0 if there are none: what is right does not dilute it."""
    return values.sum() / (values > 0).sum().clamp(min=1)


def _nothing(*tensors: Tensor) -> Tensor:
    """0, with a gradient of 0: the sum of no elements, which NaN and infinity do not touch."""
    return torch.stack([tensor.flatten()[:0].sum().float() for tensor in tensors]).sum()
