"""Contrastive loss: it attracts pairs of one person, and repels others up to a margin."""

from pydantic import Field
from torch import Tensor
from torch.nn import functional

from models.training.losses.base import Batch, TrainingLoss, mean_of_positive
from models.training.losses.distances import euclidean
from models.training.options import Options


class ContrastiveOptions(Options):
    margin: float = Field(
        1.0, gt=0, le=2, description="m: distance that different people are pushed out to"
    )
    positive_margin: float = Field(
        0.0, ge=0, le=2, description="m+: distance below which one person's pair is near enough"
    )


class Contrastive(TrainingLoss):
    """Hadsell et al. (2006), of normalised embeddings, with a margin for positives too.

    The library's loss does not square its hinges, and takes a single pair for no pair.
    """

    name = "contrastive"
    title = "Contrastive (siamese)"
    equation = (
        "mean over positives of max(0, d - m+)^2 + mean over negatives of max(0, m - d)^2, "
        "d = |a - b|, means over pairs above 0"
    )
    source = (
        "Hadsell, Chopra, LeCun: Dimensionality Reduction by Learning an Invariant Mapping, 2006"
    )
    options = ContrastiveOptions
    chosen: ContrastiveOptions

    def loss(self, batch: Batch) -> Tensor:
        pairs = batch.pairs()
        distance = euclidean(batch.embeddings, batch.everyone)
        near = distance[pairs.left, pairs.right]
        far = distance[pairs.left_apart, pairs.right_apart]
        return mean_of_positive(
            functional.relu(near - self.chosen.positive_margin).square()
        ) + mean_of_positive(functional.relu(self.chosen.margin - far).square())
