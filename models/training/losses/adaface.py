"""AdaFace: the margin goes by the length of the embedding, which stands for the photo's quality."""

import math

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from models.training.losses.base import Batch, LossSpec, TrainingLoss
from models.training.options import Options

_LEAST_SINE = 1e-6
_LEAST_SPREAD = 1e-3


class AdaFaceOptions(Options):
    scale: float = Field(64.0, gt=0, le=256, description="s: length that embeddings are given")
    margin: float = Field(0.4, ge=0, le=1, description="m: of the angle (radians) and the cosine")
    concentration: float = Field(
        0.333, gt=0, le=10, description="h: how many lengths reach the ends of the range"
    )
    momentum: float = Field(
        0.99, ge=0, lt=1, description="of the running mean and spread of the lengths"
    )


class AdaFace(TrainingLoss):
    """Kim et al. (2022). Mean and spread of the lengths are kept with the weights.

    They begin with the first batch's, and follow while training only.
    """

    normalised = False
    mined = False
    length_mean: Tensor
    length_spread: Tensor

    def __init__(self, dimension: int, classes: int, options: AdaFaceOptions) -> None:
        super().__init__()
        self._options = options
        self.weight = nn.Parameter(torch.randn(classes, dimension))
        self.register_buffer("length_mean", torch.tensor(math.nan))
        self.register_buffer("length_spread", torch.tensor(math.nan))

    def loss(self, batch: Batch) -> Tensor:
        o = self._options
        rows = batch.embeddings
        cosine = functional.normalize(rows) @ functional.normalize(self.weight.to(rows.dtype)).T
        own = cosine.gather(1, batch.labels[:, None]).squeeze(1)
        quality = self._quality(rows.detach().norm(dim=1))
        with_margin = _turn(own, -o.margin * quality) - o.margin * (quality + 1)
        logits = cosine.scatter(1, batch.labels[:, None], with_margin[:, None])
        return functional.cross_entropy(o.scale * logits, batch.labels)

    def _quality(self, length: Tensor) -> Tensor:
        """-1 (short) to 1 (long), by the running mean and spread."""
        if self.training or self.length_mean.isnan():
            self._follow(length)
        spread = self.length_spread.clamp(min=_LEAST_SPREAD)
        return ((length - self.length_mean) / spread * self._options.concentration).clamp(-1, 1)

    def _follow(self, length: Tensor) -> None:
        mean, spread = length.mean(), length.std(correction=0)
        kept = self._options.momentum if not self.length_mean.isnan() else 0.0
        self.length_mean = (self.length_mean.nan_to_num() * kept + mean * (1 - kept)).to(
            self.length_mean
        )
        self.length_spread = (self.length_spread.nan_to_num() * kept + spread * (1 - kept)).to(
            self.length_spread
        )


def _turn(cosine: Tensor, angle: Tensor) -> Tensor:
    """cos(arccos(cosine) + angle), which stays within 0 and half a turn.

    By sums of angles, since the arc cosine has no gradient at its ends.
    """
    sine = (1 - cosine.square()).clamp(min=_LEAST_SINE**2).sqrt()
    turned = cosine * angle.cos() - sine * angle.sin()
    beyond_none = (angle < 0) & (cosine > angle.cos())
    beyond_half = (angle > 0) & (cosine < -angle.cos())
    turned = torch.where(beyond_none, torch.ones_like(turned), turned)
    return torch.where(beyond_half, -torch.ones_like(turned), turned)


ADAFACE = LossSpec(
    name="adaface",
    title="AdaFace",
    equation=(
        "softmax of s cos_j, with s (cos(angle_y - m q) - m q - m) for the own class, "
        "q = (|x| - mean) h / spread, within -1 to 1"
    ),
    source="Kim, Jain, Liu: AdaFace: Quality Adaptive Margin for Face Recognition, 2022",
    options=AdaFaceOptions,
    loss=AdaFace,
    needs_labels_as_classes=True,
    build=AdaFace,
)
