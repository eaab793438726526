"""Cross-validated verification: the accuracy on folds of pairs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class FoldedAccuracy:
    """Accuracies, 0 to 1: the `mean` over the folds, its standard error, and that of each fold.

    `right` (pairs,) are the pairs that were decided correctly.
    """

    mean: float
    standard_error: float
    folds: tuple[float, ...]
    right: NDArray[np.bool_]


def cross_validated_accuracy(
    similarities: NDArray[np.floating], same: NDArray[np.bool_], folds: NDArray[np.int_]
) -> FoldedAccuracy:
    """Accuracy on each fold at the threshold that is best on the others (LFW's View 2).

    Huang et al., 2007. All arguments are (pairs,).
    """
    accuracies = []
    right = np.zeros(len(same), dtype=np.bool_)
    for fold in np.unique(folds):
        held_out = folds == fold
        threshold = best_threshold(similarities[~held_out], same[~held_out])
        right[held_out] = (similarities[held_out] >= threshold) == same[held_out]
        accuracies.append(float(np.mean(right[held_out])))
    spread = np.std(accuracies, ddof=1) if len(accuracies) > 1 else float("nan")
    return FoldedAccuracy(
        mean=float(np.mean(accuracies)),
        standard_error=float(spread / np.sqrt(len(accuracies))),
        folds=tuple(accuracies),
        right=right,
    )


def best_threshold(similarities: NDArray[np.floating], same: NDArray[np.bool_]) -> float:
    """The threshold with the most correct decisions; the median of several equally good ones."""
    order = np.argsort(similarities)
    ascending = similarities[order].astype(np.float64)
    # At a threshold between positions i-1 and i, the i lowest pairs are non-matches.
    refused_right = np.concatenate([[0], np.cumsum(~same[order])])
    accepted_right = same.sum() - np.concatenate([[0], np.cumsum(same[order])])
    right = refused_right + accepted_right
    edges = np.concatenate([[-np.inf], ascending, [np.inf]])
    possible = edges[1:] > edges[:-1]  # equal scores cannot be separated
    best = np.flatnonzero(possible & (right == right[possible].max()))
    middle = best[len(best) // 2]
    low = max(edges[middle], ascending[0] - 1.0)
    high = min(edges[middle + 1], ascending[-1] + 1.0)
    return float((low + high) / 2)
