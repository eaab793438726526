"""DeepID2: classify people, and separate pairs by distance, at once."""

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from models.training.losses.base import Batch, LossSpec, TrainingLoss
from models.training.losses.contrastive import Contrastive, ContrastiveOptions
from models.training.losses.softmax import classification


class JointOptions(ContrastiveOptions):
    weight: float = Field(0.5, ge=0, le=100, description="lambda: of the contrastive part")


class Joint(TrainingLoss):
    """The classifier sees embeddings as they are, the contrastive part those of length 1."""

    normalised = False
    mined = True

    def __init__(self, dimension: int, classes: int, options: JointOptions) -> None:
        super().__init__()
        self._weight = options.weight
        self.classify = nn.Linear(dimension, classes)
        self.contrastive = Contrastive(options)

    def loss(self, batch: Batch) -> Tensor:
        pairs = self.contrastive.loss(
            Batch(
                functional.normalize(batch.embeddings),
                batch.labels,
                functional.normalize(batch.everyone),
                batch.everyone_labels,
                batch.mined,
            )
        )
        return classification(self.classify, batch) + self._weight * pairs


JOINT = LossSpec(
    name="joint",
    title="Contrastive with softmax (DeepID2)",
    equation="softmax + lambda contrastive",
    source=(
        "Sun et al.: Deep Learning Face Representation by Joint Identification-Verification, 2014"
    ),
    options=JointOptions,
    loss=Joint,
    needs_labels_as_classes=True,
    build=Joint,
)
