"""Quadruplet loss: a positive pair must also be nearer than a negative pair of two others."""

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from models.training.losses.base import Batch, TrainingLoss, mean_of_positive
from models.training.losses.distances import euclidean
from models.training.options import Options
from models.training.tuples import Triplets


class QuadrupletOptions(Options):
    margin: float = Field(
        0.4, ge=0, le=4, description="m1: by how much another must be farther from the anchor"
    )
    second_margin: float = Field(
        0.2, ge=0, le=4, description="m2: by how much two others must be farther from each other"
    )


class Quadruplet(TrainingLoss):
    """Chen et al. (2017), with squared distances of normalised embeddings.

    The fourth example is the row of the batch nearest to the negative that is neither of its person
    nor of the anchor's: the hardest, so that there are as many quadruplets as triplets.
    """

    name = "quadruplet"
    title = "Quadruplet (two margins)"
    equation = (
        "mean over triplets above 0 of max(0, |a - p|^2 - |a - n|^2 + m1) "
        "+ mean over those above 0 of max(0, |a - p|^2 - |n - k|^2 + m2), "
        "k the nearest to n of a third person"
    )
    source = "Chen et al.: Beyond Triplet Loss: A Deep Quadruplet Network, 2017"
    options = QuadrupletOptions
    chosen: QuadrupletOptions

    def loss(self, batch: Batch) -> Tensor:
        triplets = batch.triplets()
        squared = euclidean(batch.embeddings, batch.everyone).square()
        positive = squared[triplets.anchors, triplets.positives]
        first = functional.relu(
            positive - squared[triplets.anchors, triplets.negatives] + self.chosen.margin
        )
        fourth, exists = _fourth(batch, triplets, squared.detach())
        second = functional.relu(
            positive - squared[fourth, triplets.negatives] + self.chosen.second_margin
        )
        return mean_of_positive(first) + mean_of_positive(second * exists)


def _fourth(batch: Batch, triplets: Triplets, squared: Tensor) -> tuple[Tensor, Tensor]:
    """The row of the batch that completes each triplet, and whether there is one.

    For each possible negative, two rows are found: the nearest, and the nearest of another person
    than that. One of the two is not of the anchor's person.
    """
    from_everyone = squared.T.masked_fill(
        batch.everyone_labels[:, None] == batch.labels[None, :], torch.inf
    )
    nearest = from_everyone.argmin(dim=1)
    of_a_third = from_everyone.masked_fill(
        batch.labels[nearest][:, None] == batch.labels[None, :], torch.inf
    )
    next_nearest = of_a_third.argmin(dim=1)
    negatives = triplets.negatives
    is_anchors = batch.labels[nearest][negatives] == batch.labels[triplets.anchors]
    fourth = torch.where(is_anchors, next_nearest[negatives], nearest[negatives])
    exists = torch.where(
        is_anchors,
        of_a_third.amin(dim=1).isfinite()[negatives],
        from_everyone.amin(dim=1).isfinite()[negatives],
    )
    return fourth, exists
