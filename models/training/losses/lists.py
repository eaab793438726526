"""Losses of many examples at once: the weight of a pair depends on the others around it."""

from pydantic import Field
from pytorch_metric_learning.distances import DotProductSimilarity
from pytorch_metric_learning.losses import (
    LiftedStructureLoss,
    MultiSimilarityLoss,
    NPairsLoss,
    RankedListLoss,
)
from torch import Tensor

from models.training.losses.base import Batch, TrainingLoss
from models.training.losses.distances import Euclidean
from models.training.options import Options


class NPairOptions(Options):
    norm_weight: float = Field(
        0.01, ge=0, le=1, description="how much the squared length of embeddings costs"
    )


class NPair(TrainingLoss):
    """One positive pair of each person; without a miner, always their first two examples."""

    name = "n-pair"
    title = "N-pair (multi-class)"
    equation = (
        "mean over people i, one pair (a, p) each, of log(1 + sum over j of e^(a_i p_j - a_i p_i)) "
        "+ w mean of |x|^2"
    )
    source = "Sohn: Improved Deep Metric Learning with Multi-class N-pair Loss Objective, 2016"
    options = NPairOptions
    chosen: NPairOptions
    normalised = False

    def __init__(self, dimension: int, classes: int, chosen: NPairOptions) -> None:
        super().__init__(dimension, classes, chosen)
        self.core = NPairsLoss(distance=DotProductSimilarity(normalize_embeddings=False))

    def loss(self, batch: Batch) -> Tensor:
        found: Tensor = self.core(batch.everyone, batch.everyone_labels, _indices(batch))
        return found + self.chosen.norm_weight * batch.embeddings.square().sum(dim=1).mean()


class _OfPairs(TrainingLoss):
    """A loss of the library that takes pairs.

    Its `forward` is not used: it takes one positive and one negative pair for no pairs.
    """

    core: LiftedStructureLoss | MultiSimilarityLoss

    def loss(self, batch: Batch) -> Tensor:
        matrix = self.core.distance(batch.embeddings, batch.everyone)
        losses = self.core.loss_method(matrix, _indices(batch))
        found: Tensor = self.core.reducer(losses, batch.embeddings, batch.labels)
        return found


class LiftedOptions(Options):
    margin: float = Field(1.0, gt=0, le=4, description="m: distance that negatives are pushed to")


class Lifted(_OfPairs):
    name = "lifted"
    title = "Lifted structure"
    equation = (
        "mean over positives (i, j) of max(0, J)^2 / 2, "
        "J = d_ij + log(sum of e^(m - d_ik) and e^(m - d_jl) over negatives k of i and l of j)"
    )
    source = "Oh Song et al.: Deep Metric Learning via Lifted Structured Feature Embedding, 2016"
    options = LiftedOptions

    def __init__(self, dimension: int, classes: int, chosen: LiftedOptions) -> None:
        super().__init__(dimension, classes, chosen)
        self.core = LiftedStructureLoss(neg_margin=chosen.margin, distance=Euclidean())


class MultiSimilarityOptions(Options):
    alpha: float = Field(2.0, gt=0, le=100, description="how much hard positives count")
    beta: float = Field(50.0, gt=0, le=200, description="how much hard negatives count")
    base: float = Field(0.5, ge=-1, le=1, description="lambda: the cosine between the two")


class MultiSimilarity(_OfPairs):
    name = "multi-similarity"
    title = "Multi-similarity"
    equation = (
        "mean over anchors of log(1 + sum over positives of e^(-alpha (cos - base))) / alpha "
        "+ log(1 + sum over negatives of e^(beta (cos - base))) / beta"
    )
    source = "Wang et al.: Multi-Similarity Loss with General Pair Weighting, 2019"
    options = MultiSimilarityOptions

    def __init__(self, dimension: int, classes: int, chosen: MultiSimilarityOptions) -> None:
        super().__init__(dimension, classes, chosen)
        self.core = MultiSimilarityLoss(**chosen.model_dump())


class RankedListOptions(Options):
    margin: float = Field(0.4, ge=0, le=2, description="m: between positives and negatives")
    alpha: float = Field(1.2, gt=0, le=2, description="distance that negatives are pushed out to")
    negative_temperature: float = Field(
        5.0, ge=0, le=5, description="Tn: how much more the nearer negatives count"
    )
    positive_temperature: float = Field(
        0.0, ge=0, le=5, description="Tp: how much more the farther positives count"
    )
    balance: float = Field(0.5, ge=0, le=1, description="share of the negatives in the loss")


class RankedList(TrainingLoss):
    """The others join the batch: each of them is an anchor, too."""

    name = "ranked-list"
    title = "Ranked list"
    equation = (
        "mean over anchors of (1 - b) sum of w (d - (alpha - m)) / sum of w over positives beyond "
        "alpha - m + b sum of v (alpha - d) / sum of v over negatives within alpha, "
        "w = e^(Tp (d - (alpha - m))), v = e^(Tn (alpha - d))"
    )
    source = "Wang et al.: Ranked List Loss for Deep Metric Learning, 2019"
    options = RankedListOptions
    mined = False

    def __init__(self, dimension: int, classes: int, chosen: RankedListOptions) -> None:
        super().__init__(dimension, classes, chosen)
        self.core = RankedListLoss(
            margin=chosen.margin,
            Tn=chosen.negative_temperature,
            Tp=chosen.positive_temperature,
            imbalance=chosen.balance,
            alpha=chosen.alpha,
            distance=Euclidean(),
        )

    def loss(self, batch: Batch) -> Tensor:
        found: Tensor = self.core(batch.everyone, batch.everyone_labels)
        return found


def _indices(batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    pairs = batch.pairs()
    return pairs.left, pairs.right, pairs.left_apart, pairs.right_apart
