"""Centre loss: a classifier, and for each person a centre that attracts their embeddings."""

import torch
from pydantic import Field
from torch import Tensor, nn

from models.training.losses.base import Batch, TrainingLoss
from models.training.losses.softmax import classification
from models.training.options import Options


class CentreOptions(Options):
    weight: float = Field(0.01, ge=0, le=10, description="lambda: of the centres' part")


class Centre(TrainingLoss):
    """Wen et al. (2016), joint with softmax.

    The gradient of a centre is the step of the paper's equation 4, so that plain gradient descent
    at the rate alpha is its update; it does not depend on lambda.
    """

    name = "centre"
    title = "Centre loss with softmax"
    equation = "softmax + lambda mean of |x - c_y|^2 / 2"
    source = (
        "Wen et al.: A Discriminative Feature Learning Approach for Deep Face Recognition, 2016"
    )
    options = CentreOptions
    chosen: CentreOptions
    normalised = False
    mined = False
    needs_labels_as_classes = True

    def __init__(self, dimension: int, classes: int, chosen: CentreOptions) -> None:
        super().__init__(dimension, classes, chosen)
        self.classify = nn.Linear(dimension, classes)
        self.centres = nn.Parameter(torch.randn(classes, dimension))

    def loss(self, batch: Batch) -> Tensor:
        own = self.centres.to(batch.embeddings.dtype)[batch.labels]
        apart = (batch.embeddings - own.detach()).square().sum(dim=1).mean() / 2
        classified = classification(self.classify, batch)
        return classified + self.chosen.weight * apart + self._follow(batch, own)

    def _follow(self, batch: Batch, own: Tensor) -> Tensor:
        """0, whose gradient is sum(c_j - x_i) / (1 + n_j), over the n_j rows of person j."""
        count = torch.bincount(batch.labels, minlength=len(self.centres))[batch.labels]
        steps = (own - batch.embeddings.detach()).square().sum(dim=1) / (2 * (1 + count))
        follow = steps.sum()
        return follow - follow.detach()
