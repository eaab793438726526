"""DeepID2: classification of people, together with a distance between pairs."""

from dataclasses import replace

from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import normalize

from models.training.losses.base import Batch, TrainingLoss
from models.training.losses.contrastive import Contrastive, ContrastiveOptions
from models.training.losses.softmax import classification


class JointOptions(ContrastiveOptions):
    weight: float = Field(0.5, ge=0, le=100, description="lambda: of the contrastive part")


class Joint(TrainingLoss):
    """The classifier takes embeddings as they are, the contrastive part those of length 1."""

    name = "joint"
    title = "Contrastive with softmax (DeepID2)"
    equation = "softmax + lambda contrastive"
    source = (
        "Sun et al.: Deep Learning Face Representation by Joint Identification-Verification, 2014"
    )
    options = JointOptions
    chosen: JointOptions
    normalised = False
    needs_labels_as_classes = True

    def __init__(self, dimension: int, classes: int, chosen: JointOptions) -> None:
        super().__init__(dimension, classes, chosen)
        self.classify = nn.Linear(dimension, classes)
        self.contrastive = Contrastive(dimension, classes, chosen)

    def loss(self, batch: Batch) -> Tensor:
        unit = replace(
            batch, embeddings=normalize(batch.embeddings), everyone=normalize(batch.everyone)
        )
        pairs = self.contrastive.loss(unit)
        return classification(self.classify, batch) + self.chosen.weight * pairs
