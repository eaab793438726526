"""AdaFace: a margin by the length of the embedding, which stands for the quality of the photo."""

import math

import torch
from pydantic import Field
from torch import Tensor

from models.training.losses.angular import ClassAngles
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


class AdaFace(ClassAngles):
    """Kim et al. (2022). The running mean and spread of the lengths are kept with the weights.

    They begin with those of the first batch, and change in training only.
    """

    name = "adaface"
    title = "AdaFace"
    equation = (
        "softmax of s cos_j, with s (cos(angle_y - m q) - m q - m) for the own class, "
        "q = (|x| - mean) h / spread, within -1 to 1"
    )
    source = "Kim, Jain, Liu: AdaFace: Quality Adaptive Margin for Face Recognition, 2022"
    options = AdaFaceOptions
    chosen: AdaFaceOptions
    length_mean: Tensor
    length_spread: Tensor

    def __init__(self, dimension: int, classes: int, chosen: AdaFaceOptions) -> None:
        super().__init__(dimension, classes, chosen)
        self.register_buffer("length_mean", torch.tensor(math.nan))
        self.register_buffer("length_spread", torch.tensor(math.nan))

    def with_margin(self, own: Tensor, length: Tensor) -> Tensor:
        quality = self._quality(length.detach())
        margin = self.chosen.margin
        return _turn(own, -margin * quality) - margin * (quality + 1)

    def scale(self, length: Tensor) -> float:  # noqa: ARG002
        return self.chosen.scale

    def _quality(self, length: Tensor) -> Tensor:
        """-1 (short) to 1 (long), relative to the running mean and spread."""
        if self.training or self.length_mean.isnan():
            self._follow(length)
        spread = self.length_spread.clamp(min=_LEAST_SPREAD)
        return ((length - self.length_mean) / spread * self.chosen.concentration).clamp(-1, 1)

    def _follow(self, length: Tensor) -> None:
        kept = self.chosen.momentum if not self.length_mean.isnan() else 0.0
        for running, now in (
            (self.length_mean, length.mean()),
            (self.length_spread, length.std(correction=0)),
        ):
            running.copy_(running.nan_to_num() * kept + now * (1 - kept))


def _turn(cosine: Tensor, angle: Tensor) -> Tensor:
    """cos(arccos(cosine) + angle), where the sum stays within 0 and half a turn.

    Computed by the sum of angles, as the arc cosine has no gradient at its ends.
    """
    sine = (1 - cosine.square()).clamp(min=_LEAST_SINE**2).sqrt()
    turned = cosine * angle.cos() - sine * angle.sin()
    beyond_none = (angle < 0) & (cosine > angle.cos())
    beyond_half = (angle > 0) & (cosine < -angle.cos())
    turned = torch.where(beyond_none, torch.ones_like(turned), turned)
    return torch.where(beyond_half, -torch.ones_like(turned), turned)
