"""Pairs and triplets of a batch, by the indices of their examples.

The first example of a pair, and the anchor of a triplet, is a row of the batch. The others are rows
of the batch, or of the other examples after it: index N is the first one after a batch of N. A pair
within the batch occurs in both directions.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Pairs:
    """(`left[i]`, `right[i]`) are of one person, (`left_apart[j]`, `right_apart[j]`) of two."""

    left: Tensor
    right: Tensor
    left_apart: Tensor
    right_apart: Tensor


@dataclass(frozen=True, slots=True)
class Triplets:
    """An anchor, another example of its person, and one of another person."""

    anchors: Tensor
    positives: Tensor
    negatives: Tensor


MinedTuples = Pairs | Triplets


def same_person(labels: Tensor, everyone: Tensor) -> Tensor:
    """A mask (N, N + M): another example of the same person as a row of the batch.

    `labels` (N,) are those of the batch; `everyone` (N + M,) are these, followed by the others.
    """
    same = labels[:, None] == everyone[None, :]
    rows = torch.arange(len(labels), device=labels.device)
    same[rows, rows] = False
    return same


def all_pairs(labels: Tensor, everyone: Tensor) -> Pairs:
    """Every pair of a row of the batch with another example."""
    left, right = torch.where(same_person(labels, everyone))
    left_apart, right_apart = torch.where(labels[:, None] != everyone[None, :])
    return Pairs(left, right, left_apart, right_apart)


def all_triplets(labels: Tensor, everyone: Tensor) -> Triplets:
    """Every positive pair of `all_pairs` with each negative of its anchor."""
    left, right = torch.where(same_person(labels, everyone))
    pair, negatives = torch.where(labels[left][:, None] != everyone[None, :])
    return Triplets(left[pair], right[pair], negatives)


def as_pairs(mined: MinedTuples) -> Pairs:
    """The pairs of triplets, each as often as it occurs."""
    if isinstance(mined, Pairs):
        return mined
    return Pairs(mined.anchors, mined.positives, mined.anchors, mined.negatives)


def as_triplets(mined: MinedTuples) -> Triplets:
    """Each positive pair with each negative pair of the same first example."""
    if isinstance(mined, Triplets):
        return mined
    positive, negative = torch.where(mined.left[:, None] == mined.left_apart[None, :])
    return Triplets(mined.left[positive], mined.right[positive], mined.right_apart[negative])
