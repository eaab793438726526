"""Losses of triplets: an anchor must be nearer to its own person than to another."""

from pydantic import Field
from pytorch_metric_learning.losses import MarginLoss, TripletMarginLoss
from torch import Tensor

from models.training.losses.base import Batch, TrainingLoss
from models.training.losses.distances import Euclidean
from models.training.options import Options


class _OfTriplets(TrainingLoss):
    core: TripletMarginLoss | MarginLoss

    def loss(self, batch: Batch) -> Tensor:
        triplets = batch.triplets()
        found: Tensor = self.core(
            batch.embeddings,
            batch.labels,
            (triplets.anchors, triplets.positives, triplets.negatives),
            batch.everyone,
            batch.everyone_labels,
        )
        return found


class TripletOptions(Options):
    margin: float = Field(0.2, ge=0, le=4, description="by how much the other must be farther")
    squared: bool = Field(True, description="whether distances are squared, as in FaceNet")
    smooth: bool = Field(False, description="log(1 + e^x) instead of max(0, x)")


class Triplet(_OfTriplets):
    name = "triplet"
    title = "Triplet (FaceNet)"
    equation = "mean over triplets above 0 of max(0, |a - p|^2 - |a - n|^2 + m)"
    source = "Schroff, Kalenichenko, Philbin: FaceNet, 2015"
    options = TripletOptions

    def __init__(self, dimension: int, classes: int, chosen: TripletOptions) -> None:
        super().__init__(dimension, classes, chosen)
        self.core = TripletMarginLoss(
            margin=chosen.margin,
            smooth_loss=chosen.smooth,
            distance=Euclidean(squared=chosen.squared),
        )


class MarginOptions(Options):
    margin: float = Field(0.2, ge=0, le=2, description="alpha: what is left free around beta")
    beta: float = Field(1.2, gt=0, le=2, description="boundary to begin with, a distance")
    learned: bool = Field(True, description="whether beta is learned, or stays")
    beta_per_class: bool = Field(False, description="a boundary for each person, not one for all")
    nu: float = Field(0.0, ge=0, le=1, description="how much a large beta costs")


class Margin(_OfTriplets):
    name = "margin"
    title = "Margin-based"
    equation = (
        "sum over triplets of max(0, alpha + |a - p| - beta) + max(0, alpha + beta - |a - n|), "
        "divided by the number of terms above 0, + nu beta"
    )
    source = "Wu et al.: Sampling Matters in Deep Embedding Learning, 2017"
    options = MarginOptions

    def __init__(self, dimension: int, classes: int, chosen: MarginOptions) -> None:
        super().__init__(dimension, classes, chosen)
        self.core = MarginLoss(
            margin=chosen.margin,
            nu=chosen.nu,
            beta=chosen.beta,
            learn_beta=chosen.learned,
            num_classes=classes if chosen.beta_per_class else None,
            distance=Euclidean(),
        )
