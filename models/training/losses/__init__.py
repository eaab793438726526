"""The losses by name, and how to build one. docs/losses.md says when to use which."""

from collections.abc import Mapping
from types import MappingProxyType

from models.training.errors import LossOptionsError, UnknownLossError
from models.training.losses.adaface import AdaFace
from models.training.losses.angular import ArcFace, CosFace, ModifiedSoftmax, SphereFace
from models.training.losses.base import TrainingLoss
from models.training.losses.centre import Centre
from models.training.losses.contrastive import Contrastive
from models.training.losses.difference import Difference
from models.training.losses.joint import Joint
from models.training.losses.lists import Lifted, MultiSimilarity, NPair, RankedList
from models.training.losses.proxies import ProxyNca
from models.training.losses.quadruplet import Quadruplet
from models.training.losses.softmax import Softmax
from models.training.losses.threshold import Threshold
from models.training.losses.triplets import Margin, Triplet
from models.training.options import read_options

__all__ = ["LOSSES", "TrainingLoss", "build_loss"]

LOSSES: Mapping[str, type[TrainingLoss]] = MappingProxyType(
    {
        loss.name: loss
        for loss in (
            *(Softmax, Difference, Contrastive, Joint, Triplet, Quadruplet, NPair, Lifted),
            *(MultiSimilarity, ProxyNca, RankedList, Margin, Centre),
            *(ModifiedSoftmax, SphereFace, CosFace, ArcFace, AdaFace, Threshold),
        )
    }
)


def build_loss(
    name: str,
    *,
    dimension: int,
    classes: int,
    options: Mapping[str, object] | None = None,
) -> TrainingLoss:
    """A loss for embeddings of length `dimension`, of people numbered from 0 to `classes` - 1.

    Its own parameters are drawn from PyTorch's generator. Raises UnknownLossError and
    LossOptionsError.
    """
    loss = LOSSES.get(name)
    if loss is None:
        raise UnknownLossError(f"no loss {name!r}; there are: {', '.join(LOSSES)}")
    chosen = read_options(loss.options, options, of=f"the loss {name}", error=LossOptionsError)
    return loss(dimension, classes, chosen)
