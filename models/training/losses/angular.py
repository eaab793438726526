"""Softmax over the angles to class weights of length 1, with a margin for the own class."""

import math

import torch
from pydantic import Field
from pytorch_metric_learning.losses import CosFaceLoss, SubCenterArcFaceLoss
from torch import Tensor, nn
from torch.nn import functional

from models.training.losses.base import Batch, TrainingLoss
from models.training.options import Options

_LEAST_SQUARED_SINE = 1e-12


class ClassAngles(TrainingLoss):
    """Cross-entropy of the cosines to class weights, scaled by the length of the embedding."""

    normalised = False
    mined = False
    needs_labels_as_classes = True

    def __init__(self, dimension: int, classes: int, chosen: Options) -> None:
        super().__init__(dimension, classes, chosen)
        self.weight = nn.Parameter(torch.randn(classes, dimension))

    def loss(self, batch: Batch) -> Tensor:
        rows, labels = batch.embeddings, batch.labels[:, None]
        length = rows.norm(dim=1, keepdim=True)
        cosine = functional.normalize(rows) @ functional.normalize(self.weight.to(rows.dtype)).T
        own = self.with_margin(cosine.gather(1, labels), length)
        logits = self.scale(length) * cosine.scatter(1, labels, own)
        return functional.cross_entropy(logits, batch.labels)

    def with_margin(self, own: Tensor, length: Tensor) -> Tensor:  # noqa: ARG002
        """The value (N, 1) in place of the cosine to the own class; `length` is the embedding's."""
        return own

    def scale(self, length: Tensor) -> Tensor | float:
        """The factor of the cosines."""
        return length


class ModifiedSoftmax(ClassAngles):
    """A-Softmax without its margin: weights of length 1, no bias, embeddings as they are."""

    name = "modified-softmax"
    title = "Modified softmax"
    equation = "softmax of |x| cos_j, cos_j of x and w_j"
    source = "Liu et al.: SphereFace, 2017 (equation 4)"


class SphereFaceOptions(Options):
    margin: int = Field(4, ge=1, le=8, description="m: what the own class's angle is multiplied by")
    first_softness: float = Field(
        1_000.0, ge=0, le=1e6, description="lambda at the first step: how little of m counts"
    )
    softness_decay: float = Field(
        0.1, ge=0, le=100, description="g: lambda is first / (1 + g step), but not below the least"
    )
    least_softness: float = Field(5.0, ge=0, le=1e6, description="lambda in the end")


class SphereFace(ClassAngles):
    """A-Softmax, begun with a small margin as by its authors: the full one does not converge alone.

    The number of training steps is kept with the weights. The library's loss has no such beginning,
    and computes its coefficients in a way that NumPy deprecates.
    """

    name = "sphereface"
    title = "SphereFace (A-Softmax)"
    equation = (
        "modified softmax with (lambda cos_y + psi) / (1 + lambda) for cos_y, "
        "psi = (-1)^k cos(m angle_y) - 2k, angle_y from k pi / m to (k + 1) pi / m"
    )
    source = "Liu et al.: SphereFace: Deep Hypersphere Embedding for Face Recognition, 2017"
    options = SphereFaceOptions
    chosen: SphereFaceOptions
    step: Tensor

    def __init__(self, dimension: int, classes: int, chosen: SphereFaceOptions) -> None:
        super().__init__(dimension, classes, chosen)
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))

    def with_margin(self, own: Tensor, length: Tensor) -> Tensor:  # noqa: ARG002
        o = self.chosen
        softness = (o.first_softness / (1 + o.softness_decay * self.step)).clamp(o.least_softness)
        if self.training:
            self.step += 1
        return (softness * own + _multiplied(own, o.margin)) / (1 + softness)


def _multiplied(cosine: Tensor, margin: int) -> Tensor:
    """psi: cos(margin * angle), continued downwards where that cosine would rise again.

    Computed by Chebyshev's recurrence, as the arc cosine has no gradient at its ends.
    """
    before, multiple = torch.ones_like(cosine), cosine
    for _ in range(margin - 1):
        before, multiple = multiple, 2 * cosine * multiple - before
    with torch.no_grad():
        turns = (cosine.clamp(-1, 1).acos() * (margin / math.pi)).floor()
    return (1 - 2 * (turns % 2)) * multiple - 2 * turns


class _LibraryHead(TrainingLoss):
    mined = False
    needs_labels_as_classes = True
    core: nn.Module

    def loss(self, batch: Batch) -> Tensor:
        found: Tensor = self.core(batch.embeddings, batch.labels)
        return found


class CosFaceOptions(Options):
    scale: float = Field(64.0, gt=0, le=256, description="s: length that embeddings are given")
    margin: float = Field(0.35, ge=0, le=1, description="m: taken off the own class's cosine")


class CosFace(_LibraryHead):
    name = "cosface"
    title = "CosFace"
    equation = "softmax of s cos_j, with s (cos_y - m) for the own class"
    source = "Wang et al.: CosFace: Large Margin Cosine Loss for Deep Face Recognition, 2018"
    options = CosFaceOptions

    def __init__(self, dimension: int, classes: int, chosen: CosFaceOptions) -> None:
        super().__init__(dimension, classes, chosen)
        self.core = CosFaceLoss(classes, dimension, margin=chosen.margin, scale=chosen.scale)


class ArcFaceOptions(Options):
    scale: float = Field(64.0, gt=0, le=256, description="s: length that embeddings are given")
    margin_degrees: float = Field(
        28.6, ge=0, le=90, description="m: added to the own class's angle; 28.6 are half a radian"
    )
    sub_centres: int = Field(
        1, ge=1, le=20, description="weights a class; more than 1 let noisy labels have their own"
    )


class ArcFace(_LibraryHead):
    name = "arcface"
    title = "ArcFace, with sub-centres"
    equation = (
        "softmax of s cos_j, with s cos(angle_y + m) for the own class; "
        "cos_j the greatest over a class's sub-centres"
    )
    source = (
        "Deng et al.: ArcFace: Additive Angular Margin Loss for Deep Face Recognition, 2019; "
        "Deng et al.: Sub-center ArcFace, 2020"
    )
    options = ArcFaceOptions

    def __init__(self, dimension: int, classes: int, chosen: ArcFaceOptions) -> None:
        super().__init__(dimension, classes, chosen)
        self.core = _SmoothArcFace(
            num_classes=classes,
            embedding_size=dimension,
            margin=chosen.margin_degrees,
            scale=chosen.scale,
            sub_centers=chosen.sub_centres,
        )


class _SmoothArcFace(SubCenterArcFaceLoss):  # type: ignore[misc]
    """The library's loss without an arc cosine, which has no gradient on a class's weights."""

    def modify_cosine_of_target_classes(self, cosine: Tensor) -> Tensor:
        sine = (1 - cosine.square()).clamp(min=_LEAST_SQUARED_SINE).sqrt()
        turned = cosine * math.cos(self.margin) - sine * math.sin(self.margin)
        # Beyond half a turn, the cosine would rise again.
        beyond = cosine - self.margin * math.sin(self.margin)
        return torch.where(cosine >= -math.cos(self.margin), turned, beyond)
