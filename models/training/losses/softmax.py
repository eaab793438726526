"""Plain classification of the people trained on; the embedding is a by-product."""

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from models.training.losses.base import Batch, TrainingLoss
from models.training.options import Options


class SoftmaxOptions(Options):
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="share of the target that is spread over all classes"
    )


class Softmax(TrainingLoss):
    """The embedding is the last layer but one, as in DeepFace."""

    name = "softmax"
    title = "Softmax classifier"
    equation = "mean of -log(e^(w_y x + b_y) / sum over classes j of e^(w_j x + b_j))"
    source = "Taigman et al.: DeepFace, 2014"
    options = SoftmaxOptions
    chosen: SoftmaxOptions
    normalised = False
    mined = False
    needs_labels_as_classes = True

    def __init__(self, dimension: int, classes: int, chosen: SoftmaxOptions) -> None:
        super().__init__(dimension, classes, chosen)
        self.classify = nn.Linear(dimension, classes)

    def loss(self, batch: Batch) -> Tensor:
        return classification(self.classify, batch, label_smoothing=self.chosen.label_smoothing)


def classification(classify: nn.Linear, batch: Batch, *, label_smoothing: float = 0.0) -> Tensor:
    """Mean cross-entropy of a linear classifier."""
    rows = batch.embeddings
    bias = classify.bias.to(rows.dtype)
    logits = functional.linear(rows, classify.weight.to(rows.dtype), bias)
    return functional.cross_entropy(logits, batch.labels, label_smoothing=label_smoothing)
