"""The base of all losses."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.training.errors import MinedTuplesError
from models.training.options import NoOptions, Options
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
    """The prepared input of a loss: float32 or float64, normalised if the loss needs that.

    `embeddings` is (N, D) and `labels` (N,). `everyone` (N + M, D) is the batch, followed by the
    other embeddings that it is compared with; `everyone_labels` (N + M,) are their labels.
    """

    embeddings: Tensor
    labels: Tensor
    everyone: Tensor
    everyone_labels: Tensor
    mined: MinedTuples | None

    def pairs(self) -> Pairs:
        """The mined ones, or all."""
        if self.mined is None:
            return all_pairs(self.labels, self.everyone_labels)
        return as_pairs(self.mined)

    def triplets(self) -> Triplets:
        """The mined ones, or all."""
        if self.mined is None:
            return all_triplets(self.labels, self.everyone_labels)
        return as_triplets(self.mined)


class TrainingLoss(nn.Module, ABC):
    """A scalar to be minimised, with the parameters that only it has: class weights, thresholds.

    A subclass describes itself: `name`, `title`, `equation` in plain text, the paper as `source`,
    and `options` with their bounds. `normalised`: it scales embeddings to length 1 first, and
    divides by the length itself. `mined`: a miner may choose its pairs or triplets.
    `needs_labels_as_classes`: it has parameters for each class, so that labels must be numbers from
    0 to the number of classes, which is known in advance.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    equation: ClassVar[str]
    source: ClassVar[str]
    options: ClassVar[type[Options]] = NoOptions
    normalised: ClassVar[bool] = True
    mined: ClassVar[bool] = True
    needs_labels_as_classes: ClassVar[bool] = False

    def __init__(self, dimension: int, classes: int, chosen: Any) -> None:  # noqa: ANN401
        """`chosen` are the values of `options`. Parameters are drawn from PyTorch's generator."""
        super().__init__()
        self.dimension = dimension
        self.classes = classes
        self.chosen = chosen

    def forward(
        self,
        embeddings: Tensor,
        labels: Tensor,
        *,
        pairs: MinedTuples | None = None,
        others: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        """The loss, a scalar, of embeddings (N, D) as the network gives them and labels (N,) int64.

        `pairs` are what a miner chose; by default, all pairs or triplets count. `others` are more
        embeddings (M, D) and labels (M,), of other processes or of a bank. Rows of the batch are
        paired with them; losses with class weights ignore them. The loss is computed at least in
        float32, also under autocast. Where there is nothing to compare, it is 0, with a gradient
        of 0.

        Raises MinedTuplesError when tuples are given to a loss that uses none.
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
            # A parameter that no term depends on has a gradient of 0 then, instead of none.
            return found + _nothing(embeddings, *self.parameters())

    @abstractmethod
    def loss(self, batch: Batch) -> Tensor:
        """The loss of a prepared batch."""

    def _prepared(self, embeddings: Tensor) -> Tensor:
        if embeddings.dtype in (torch.float16, torch.bfloat16):
            embeddings = embeddings.float()
        return functional.normalize(embeddings) if self.normalised else embeddings


def mean(values: Tensor) -> Tensor:
    """The mean; 0 for no values."""
    return values.sum() / max(values.numel(), 1)


def mean_of_positive(values: Tensor) -> Tensor:
    """The mean of the values above 0, else 0: terms without an error do not dilute the others."""
    return values.sum() / (values > 0).sum().clamp(min=1)


def _nothing(*tensors: Tensor) -> Tensor:
    """0, with a gradient of 0: a sum of no elements, so that NaN and infinity have no effect."""
    return torch.stack([tensor.flatten()[:0].sum().float() for tensor in tensors]).sum()
