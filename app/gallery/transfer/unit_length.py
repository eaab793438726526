"""The check that embeddings are of unit length."""

import numpy as np
from numpy.typing import NDArray

_TOLERANCE = 1e-3  # of the length; networks that compute in half precision are this exact


def first_not_of_unit_length(vectors: NDArray[np.float32]) -> int | None:
    """The first row of (N, dimension) that is not finite and of length 1, if there is one."""
    # Squares of float32 may exceed it: a damaged number must be found, not warned about.
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    wrong = np.flatnonzero(~(np.abs(lengths - 1) <= _TOLERANCE))  # not <=: so NaN is wrong, too
    return int(wrong[0]) if len(wrong) else None
