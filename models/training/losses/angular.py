"""Softmax over angles to class weights of length 1, with a margin for the own class."""

import math

import torch
from pydantic import Field
from pytorch_metric_learning.losses import CosFaceLoss, SubCenterArcFaceLoss
from torch import Tensor, nn
from torch.nn import functional

from models.training.losses.base import Batch, LossSpec, TrainingLoss
from models.training.options import NoOptions, Options

_LEAST_SQUARED_SINE = 1e-12


class ModifiedSoftmax(TrainingLoss):
    """A-Softmax without its margin: weights of length 1, no bias, embeddings as they are."""

    normalised = False
    mined = False

    def __init__(self, dimension: int, classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, dimension))

    def loss(self, batch: Batch) -> Tensor:
        cosine = _cosine(batch.embeddings, self.weight)
        length = batch.embeddings.norm(dim=1, keepdim=True)
        return functional.cross_entropy(length * cosine, batch.labels)


class SphereFaceOptions(Options):
    margin: int = Field(4, ge=1, le=8, description="m: what the own class's angle is multiplied by")
    first_softness: float = Field(
        1_000.0, ge=0, le=1e6, description="lambda at the first step: how little of m counts"
    )
    softness_decay: float = Field(
        0.1, ge=0, le=100, description="g: lambda is first / (1 + g step), but not below the least"
    )
    least_softness: float = Field(5.0, ge=0, le=1e6, description="lambda in the end")


class SphereFace(TrainingLoss):
    """A-Softmax, begun softly as its authors do, since the full margin does not converge alone.

    How far it has come is kept with the weights, and counted while training only. Not the
    library's, which has no such beginning and makes its coefficients by what NumPy deprecates.
    """

    normalised = False
    mined = False
    step: Tensor

    def __init__(self, dimension: int, classes: int, options: SphereFaceOptions) -> None:
        super().__init__()
        self._options = options
        self.weight = nn.Parameter(torch.randn(classes, dimension))
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))

    def loss(self, batch: Batch) -> Tensor:
        o = self._options
        softness = (o.first_softness / (1 + o.softness_decay * self.step)).clamp(o.least_softness)
        if self.training:
            self.step += 1
        cosine = _cosine(batch.embeddings, self.weight)
        own = cosine.gather(1, batch.labels[:, None])
        with_margin = (softness * own + _multiplied(own, o.margin)) / (1 + softness)
        length = batch.embeddings.norm(dim=1, keepdim=True)
        logits = length * cosine.scatter(1, batch.labels[:, None], with_margin)
        return functional.cross_entropy(logits, batch.labels)


def _cosine(embeddings: Tensor, weight: Tensor) -> Tensor:
    weight = weight.to(embeddings.dtype)
    return functional.normalize(embeddings) @ functional.normalize(weight).T


def _multiplied(cosine: Tensor, margin: int) -> Tensor:
    """psi: cos(margin angle), carried on downwards where the cosine would rise again.

    By Chebyshev's recurrence, since the arc cosine has no gradient at its ends.
    """
    before, multiple = torch.ones_like(cosine), cosine
    for _ in range(margin - 1):
        before, multiple = multiple, 2 * cosine * multiple - before
    with torch.no_grad():
        turns = (cosine.clamp(-1, 1).acos() * (margin / math.pi)).floor()
    return (1 - 2 * (turns % 2)) * multiple - 2 * turns


class CosFaceOptions(Options):
    scale: float = Field(64.0, gt=0, le=256, description="s: length that embeddings are given")
    margin: float = Field(0.35, ge=0, le=1, description="m: taken off the own class's cosine")


class CosFace(TrainingLoss):
    normalised = True
    mined = False

    def __init__(self, dimension: int, classes: int, options: CosFaceOptions) -> None:
        super().__init__()
        self.core = CosFaceLoss(classes, dimension, margin=options.margin, scale=options.scale)

    def loss(self, batch: Batch) -> Tensor:
        found: Tensor = self.core(batch.embeddings, batch.labels)
        return found


class ArcFaceOptions(Options):
    scale: float = Field(64.0, gt=0, le=256, description="s: length that embeddings are given")
    margin_degrees: float = Field(
        28.6, ge=0, le=90, description="m: added to the own class's angle; 28.6 are half a radian"
    )
    sub_centres: int = Field(
        1, ge=1, le=20, description="weights a class; more than 1 let noisy labels have their own"
    )


class ArcFace(TrainingLoss):
    normalised = True
    mined = False

    def __init__(self, dimension: int, classes: int, options: ArcFaceOptions) -> None:
        super().__init__()
        self.core = _SmoothArcFace(
            num_classes=classes,
            embedding_size=dimension,
            margin=options.margin_degrees,
            scale=options.scale,
            sub_centers=options.sub_centres,
        )

    def loss(self, batch: Batch) -> Tensor:
        found: Tensor = self.core(batch.embeddings, batch.labels)
        return found


class _SmoothArcFace(SubCenterArcFaceLoss):  # type: ignore[misc]
    """The library's, without its arc cosine: that has no gradient on a class's weights."""

    def modify_cosine_of_target_classes(self, cosine: Tensor) -> Tensor:
        sine = (1 - cosine.square()).clamp(min=_LEAST_SQUARED_SINE).sqrt()
        turned = cosine * math.cos(self.margin) - sine * math.sin(self.margin)
        # Beyond half a turn, the cosine would rise again.
        beyond = cosine - self.margin * math.sin(self.margin)
        return torch.where(cosine >= -math.cos(self.margin), turned, beyond)


MODIFIED_SOFTMAX = LossSpec(
    name="modified-softmax",
    title="Modified softmax",
    equation="softmax of |x| cos_j, cos_j of x and w_j",
    source="Liu et al.: SphereFace, 2017 (equation 4)",
    options=NoOptions,
    loss=ModifiedSoftmax,
    needs_labels_as_classes=True,
    build=lambda dimension, classes, _options: ModifiedSoftmax(dimension, classes),
)

SPHEREFACE = LossSpec(
    name="sphereface",
    title="SphereFace (A-Softmax)",
    equation=(
        "modified softmax with (lambda cos_y + psi) / (1 + lambda) for cos_y, "
        "psi = (-1)^k cos(m angle_y) - 2k, angle_y from k pi / m to (k + 1) pi / m"
    ),
    source="Liu et al.: SphereFace: Deep Hypersphere Embedding for Face Recognition, 2017",
    options=SphereFaceOptions,
    loss=SphereFace,
    needs_labels_as_classes=True,
    build=SphereFace,
)

COSFACE = LossSpec(
    name="cosface",
    title="CosFace",
    equation="softmax of s cos_j, with s (cos_y - m) for the own class",
    source="Wang et al.: CosFace: Large Margin Cosine Loss for Deep Face Recognition, 2018",
    options=CosFaceOptions,
    loss=CosFace,
    needs_labels_as_classes=True,
    build=CosFace,
)

ARCFACE = LossSpec(
    name="arcface",
    title="ArcFace, with sub-centres",
    equation=(
        "softmax of s cos_j, with s cos(angle_y + m) for the own class; "
        "cos_j the greatest over a class's sub-centres"
    ),
    source=(
        "Deng et al.: ArcFace: Additive Angular Margin Loss for Deep Face Recognition, 2019; "
        "Deng et al.: Sub-center ArcFace, 2020"
    ),
    options=ArcFaceOptions,
    loss=ArcFace,
    needs_labels_as_classes=True,
    build=ArcFace,
)
