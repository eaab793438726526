"""The field's protocols: verification on folds of pairs, and open-set identification."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class FoldedAccuracy:
    """`mean` and `standard_error` over the folds, and each fold's accuracy, 0 to 1."""

    mean: float
    standard_error: float
    folds: tuple[float, ...]


def cross_validated_accuracy(
    similarities: NDArray[np.floating], same: NDArray[np.bool_], folds: NDArray[np.int_]
) -> FoldedAccuracy:
    """Accuracy on each fold at the threshold that is best on the others (LFW's View 2).

    Huang et al., 2007. All arguments are (pairs,).
    """
    return cross_validated_decisions(similarities, same, folds)[0]


def cross_validated_decisions(
    similarities: NDArray[np.floating], same: NDArray[np.bool_], folds: NDArray[np.int_]
) -> tuple[FoldedAccuracy, NDArray[np.bool_]]:
    """The same, and whether each pair was decided rightly, (pairs,)."""
    accuracies = []
    right = np.zeros(len(same), dtype=np.bool_)
    for fold in np.unique(folds):
        held_out = folds == fold
        threshold = best_threshold(similarities[~held_out], same[~held_out])
        right[held_out] = (similarities[held_out] >= threshold) == same[held_out]
        accuracies.append(float(np.mean(right[held_out])))
    spread = np.std(accuracies, ddof=1) if len(accuracies) > 1 else float("nan")
    accuracy = FoldedAccuracy(
        mean=float(np.mean(accuracies)),
        standard_error=float(spread / np.sqrt(len(accuracies))),
        folds=tuple(accuracies),
    )
    return accuracy, right


def best_threshold(similarities: NDArray[np.floating], same: NDArray[np.bool_]) -> float:
    """The threshold with most right decisions; of several equally good ones, the median."""
    order = np.argsort(similarities)
    ascending = similarities[order].astype(np.float64)
    # At a threshold between positions i-1 and i, the i lowest pairs are refused.
    refused_right = np.concatenate([[0], np.cumsum(~same[order])])
    accepted_right = same.sum() - np.concatenate([[0], np.cumsum(same[order])])
    right = refused_right + accepted_right
    edges = np.concatenate([[-np.inf], ascending, [np.inf]])
    possible = edges[1:] > edges[:-1]  # equal scores cannot be parted
    best = np.flatnonzero(possible & (right == right[possible].max()))
    middle = best[len(best) // 2]
    low = max(edges[middle], ascending[0] - 1.0)
    high = min(edges[middle + 1], ascending[-1] + 1.0)
    return float((low + high) / 2)


@dataclass(frozen=True, slots=True)
class OpenSetRates:
    """ISO/IEC 19795-1: FNIR is the share of probes of enrolled people that are not named rightly at
    rank 1, FPIR the share of probes of others that are given any name; `misnamed` is the share of
    probes of enrolled people that are given a wrong name (part of FNIR).
    """

    fnir: float
    fpir: float
    misnamed: float


def open_set_rates(
    *,
    enrolled_similarity: NDArray[np.floating],
    enrolled_right: NDArray[np.bool_],
    other_similarity: NDArray[np.floating],
    threshold: float,
) -> OpenSetRates:
    """Open-set identification at rank 1, from the best candidate of each probe.

    `enrolled_similarity` and `enrolled_right` (is the best candidate the right person?) are those
    of enrolled people's probes, `other_similarity` those of people who are not enrolled.
    """
    named = enrolled_similarity >= threshold
    return OpenSetRates(
        fnir=float(np.mean(~(named & enrolled_right))),
        fpir=float(np.mean(other_similarity >= threshold)),
        misnamed=float(np.mean(named & ~enrolled_right)),
    )
