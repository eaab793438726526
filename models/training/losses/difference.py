"""Verification head: a logistic regression on the absolute difference of two embeddings."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.training.losses.base import Batch, TrainingLoss, mean
from models.training.options import Options


class Difference(TrainingLoss):
    """The siamese network of DeepFace: a learned weight for the difference of each coordinate."""

    name = "difference"
    title = "Verification on |a - b|"
    equation = (
        "z = c - w . |a - b|; mean over positives of log(1 + e^-z) "
        "+ mean over negatives of log(1 + e^z)"
    )
    source = "Taigman et al.: DeepFace, 2014 (the weighted L1 siamese network)"

    def __init__(self, dimension: int, classes: int, chosen: Options) -> None:
        super().__init__(dimension, classes, chosen)
        # It begins as a city-block distance, so that its sign is right from the start.
        self.weight = nn.Parameter(torch.full((dimension,), 4.0 / math.sqrt(dimension)))
        self.bias = nn.Parameter(torch.tensor(2.0))

    def loss(self, batch: Batch) -> Tensor:
        pairs = batch.pairs()
        one = self._logits(batch, pairs.left, pairs.right)
        two = self._logits(batch, pairs.left_apart, pairs.right_apart)
        return mean(functional.softplus(-one)) + mean(functional.softplus(two))

    def _logits(self, batch: Batch, left: Tensor, right: Tensor) -> Tensor:
        apart = (batch.embeddings[left] - batch.everyone[right]).abs()
        return self.bias - apart @ self.weight.to(apart.dtype)
