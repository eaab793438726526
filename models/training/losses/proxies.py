"""A loss of proxies: one learned vector for each person stands for all their examples."""

from pydantic import Field
from pytorch_metric_learning.losses import ProxyNCALoss
from torch import Tensor
from torch.nn.functional import cross_entropy

from models.training.losses.base import Batch, TrainingLoss
from models.training.losses.distances import Euclidean
from models.training.options import Options


class ProxyNcaOptions(Options):
    scale: float = Field(8.0, gt=0, le=20, description="s: how much the nearest proxies count")


class ProxyNca(TrainingLoss):
    """ProxyNCA with the own proxy in the denominator, too (ProxyNCA++), which bounds it at 0."""

    name = "proxy-nca"
    title = "ProxyNCA"
    equation = "mean of -log(e^(-s |x - p_y|^2) / sum over classes j of e^(-s |x - p_j|^2))"
    source = "Movshovitz-Attias et al.: No Fuss Distance Metric Learning Using Proxies, 2017"
    options = ProxyNcaOptions
    chosen: ProxyNcaOptions
    mined = False
    needs_labels_as_classes = True

    def __init__(self, dimension: int, classes: int, chosen: ProxyNcaOptions) -> None:
        super().__init__(dimension, classes, chosen)
        self.core = ProxyNCALoss(
            num_classes=classes,
            embedding_size=dimension,
            softmax_scale=chosen.scale,
            distance=Euclidean(squared=True, normalise=True),
        )

    def loss(self, batch: Batch) -> Tensor:
        # The library takes the logarithm of a softmax, whose gradient is lost to underflow.
        squares: Tensor = self.core.distance(batch.embeddings, self.core.proxies)
        return cross_entropy(-self.chosen.scale * squares, batch.labels)
