"""The distances that losses use, exact where embeddings are equal or nearly so."""

import torch
from pytorch_metric_learning.distances import LpDistance
from torch import Tensor


class Euclidean(LpDistance):  # type: ignore[misc]
    """To the power of 1 or 2, between embeddings as they are, or brought to length 1 first.

    The library's own computes more than 25 rows by a matrix product, in which the distance of equal
    embeddings comes out as a thousandth instead of 0.
    """

    def __init__(self, *, squared: bool = False, normalise: bool = False) -> None:
        super().__init__(normalize_embeddings=normalise, p=2, power=2 if squared else 1)

    def compute_mat(self, query_emb: Tensor, ref_emb: Tensor) -> Tensor:
        return euclidean(query_emb, ref_emb)


def euclidean(left: Tensor, right: Tensor) -> Tensor:
    """(N, M) distances; where one is 0, so is its gradient."""
    return torch.cdist(left, right, compute_mode="donot_use_mm_for_euclid_dist")
