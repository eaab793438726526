"""Distances for losses, exact also for embeddings that are equal or nearly so."""

import torch
from pytorch_metric_learning.distances import LpDistance
from torch import Tensor


class Euclidean(LpDistance):  # type: ignore[misc]
    """The distance or its square, of embeddings as they are or scaled to length 1 first.

    The library's own class computes more than 25 rows by a matrix product, in which equal
    embeddings have a distance of about 0.001 instead of 0.
    """

    def __init__(self, *, squared: bool = False, normalise: bool = False) -> None:
        super().__init__(normalize_embeddings=normalise, p=2, power=2 if squared else 1)

    def compute_mat(self, query_emb: Tensor, ref_emb: Tensor) -> Tensor:
        return euclidean(query_emb, ref_emb)


def euclidean(left: Tensor, right: Tensor) -> Tensor:
    """Distances (N, M) of rows (N, D) and (M, D); where one is 0, so is its gradient."""
    return torch.cdist(left, right, compute_mode="donot_use_mm_for_euclid_dist")
