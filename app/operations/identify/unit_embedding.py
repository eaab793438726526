"""Embeddings that callers computed themselves."""

from collections.abc import Sequence

import numpy as np

from app.errors import InvalidRequest
from app.recognition.types import Embedding


def unit_embedding(values: Sequence[float], *, dimension: int) -> Embedding:
    """Convert the numbers of a caller to a unit vector, float32 (dimension,).

    Raises InvalidRequest when there are not `dimension` finite numbers, or all are zero.
    """
    vector = np.asarray(values, dtype=np.float64)
    peak = float(np.abs(vector).max()) if vector.size == dimension else 0.0
    if not np.isfinite(peak) or peak == 0.0:
        raise InvalidRequest(f"an embedding must be {dimension} finite numbers, not all zero")
    scaled = vector / peak  # so that no square overflows or underflows
    return np.asarray(scaled / np.linalg.norm(scaled), dtype=np.float32)
