"""Every pair is a decision at one threshold of the cosine, which is learned with the network."""

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from models.training.losses.base import Batch, TrainingLoss, mean
from models.training.options import Options
from models.training.tuples import same_person


class ThresholdOptions(Options):
    scale: float = Field(
        32.0, gt=0, le=1_000, description="s: how steep the decision is, in 1 by cosine"
    )
    threshold: float = Field(0.5, ge=-1, le=1, description="t: cosine to begin with")
    learned: bool = Field(True, description="whether t is learned, or stays")


class Threshold(TrainingLoss):
    """Logistic loss of verification; meant for a bank of embeddings as `others`.

    Positives and negatives are averaged separately, since there are many more negatives.
    """

    name = "threshold"
    title = "Pairs around a learned threshold"
    equation = (
        "mean over positives of log(1 + e^(s (t - cos))) "
        "+ mean over negatives of log(1 + e^(s (cos - t)))"
    )
    source = (
        "logistic loss of pairs with a learned bias, as in Zhai et al.: Sigmoid Loss for Language "
        "Image Pre-Training, 2023"
    )
    options = ThresholdOptions
    chosen: ThresholdOptions

    def __init__(self, dimension: int, classes: int, chosen: ThresholdOptions) -> None:
        super().__init__(dimension, classes, chosen)
        self.threshold = nn.Parameter(torch.tensor(chosen.threshold), requires_grad=chosen.learned)

    def loss(self, batch: Batch) -> Tensor:
        cosine = batch.embeddings @ batch.everyone.T
        if batch.mined is not None:
            pairs = batch.pairs()
            return mean(self._of_one(cosine[pairs.left, pairs.right])) + mean(
                self._of_two(cosine[pairs.left_apart, pairs.right_apart])
            )
        # Masks instead of indices: a large bank has millions of pairs.
        one = same_person(batch.labels, batch.everyone_labels)
        two = batch.labels[:, None] != batch.everyone_labels[None, :]
        return _mean_where(one, self._of_one(cosine)) + _mean_where(two, self._of_two(cosine))

    def _of_one(self, cosine: Tensor) -> Tensor:
        return below(self.threshold, cosine, self.chosen.scale)

    def _of_two(self, cosine: Tensor) -> Tensor:
        return above(self.threshold, cosine, self.chosen.scale)


def below(threshold: Tensor, cosine: Tensor, scale: float) -> Tensor:
    """The loss of pairs of one person: log(1 + e^(s (t - cos))), element by element."""
    return functional.softplus(scale * (threshold - cosine))


def above(threshold: Tensor, cosine: Tensor, scale: float) -> Tensor:
    """The loss of pairs of two people: log(1 + e^(s (cos - t))), element by element."""
    return functional.softplus(scale * (cosine - threshold))


def _mean_where(mask: Tensor, values: Tensor) -> Tensor:
    return (values * mask).sum() / mask.sum().clamp(min=1)
