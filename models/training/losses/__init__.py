"""The losses by name, and how to build one. docs/losses.md says when to use which."""

from collections.abc import Mapping
from types import MappingProxyType

from models.training.errors import LossOptionsError, UnknownLossError
from models.training.losses.adaface import ADAFACE
from models.training.losses.angular import ARCFACE, COSFACE, MODIFIED_SOFTMAX, SPHEREFACE
from models.training.losses.base import LossSpec, TrainingLoss
from models.training.losses.centre import CENTRE
from models.training.losses.contrastive import CONTRASTIVE
from models.training.losses.difference import DIFFERENCE
from models.training.losses.joint import JOINT
from models.training.losses.lists import LIFTED, MULTI_SIMILARITY, N_PAIR, RANKED_LIST
from models.training.losses.proxies import PROXY_NCA
from models.training.losses.quadruplet import QUADRUPLET
from models.training.losses.softmax import SOFTMAX
from models.training.losses.threshold import THRESHOLD
from models.training.losses.triplets import MARGIN, TRIPLET
from models.training.options import read_options

__all__ = ["LOSSES", "LossSpec", "TrainingLoss", "build_loss"]

LOSSES: Mapping[str, LossSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            SOFTMAX,
            DIFFERENCE,
            CONTRASTIVE,
            JOINT,
            TRIPLET,
            QUADRUPLET,
            N_PAIR,
            LIFTED,
            MULTI_SIMILARITY,
            PROXY_NCA,
            RANKED_LIST,
            MARGIN,
            CENTRE,
            MODIFIED_SOFTMAX,
            SPHEREFACE,
            COSFACE,
            ARCFACE,
            ADAFACE,
            THRESHOLD,
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
    """A loss for embeddings of `dimension`, of `classes` people.

    Its own parameters are drawn from PyTorch's generator. Raises UnknownLossError and
    LossOptionsError.
    """
    spec = LOSSES.get(name)
    if spec is None:
        raise UnknownLossError(f"no loss {name!r}; there are: {', '.join(LOSSES)}")
    chosen = read_options(spec.options, options, of=f"the loss {name}", error=LossOptionsError)
    return spec.build(dimension, classes, chosen)
