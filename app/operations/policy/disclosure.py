"""How much of a similarity is answered: who measures it often enough computes the embedding.

An embedding of n numbers follows from n similarities to embeddings that the caller knows. So a
caller without the right `templates` gets three decimals, and none below the least similarity that
may matter; nor do candidates, their order, a threshold or an error rate stand for it. What is
withheld is withheld here, after the decision, which always rests on the exact similarity.
"""

from dataclasses import replace
from math import ceil, floor, sqrt
from typing import Final

from app.observe.acting import sees_exact_similarities
from app.operations.policy.decisions import Decision, threshold_of
from app.operations.policy.rate_claims import RateReason
from app.operations.policy.thresholds import Thresholds

_DECIMALS: Final = 3
_STEPS: Final = 10**_DECIMALS
_SHOWN_FMR: Final = 1e-2  # by benchmarks/accuracy/template_recovery.py
_SHOWN_BELOW: Final = 0.1
"""Similarities so far below a fixed threshold are shown, where the embedder was not measured."""
_DEVIATIONS: Final = 4
"""Of the cosine of two random directions, whose standard deviation is 1 / sqrt(dimension)."""


def least_shown(policy: Thresholds, *, dimension: int) -> float:
    """Return the similarity below which none is answered without the right, by a service's policy.

    It is that of FMR 0.01, or a lower threshold of the settings. The options and calibration of a
    collection do not count: without keys, each caller may change them.
    """
    fixed = [limit for limit in (policy.verify, policy.identify) if limit is not None]
    if policy.map is not None:
        return min([policy.map.threshold(_SHOWN_FMR), *fixed])
    if fixed:
        return min(fixed) - _SHOWN_BELOW
    return _DEVIATIONS / sqrt(dimension)


def shown_from(policy: Thresholds) -> float | None:
    """Return the least similarity that the present caller is shown; None: all are, exactly."""
    return None if sees_exact_similarities() else policy.least_shown


def permitted(threshold: float, policy: Thresholds) -> float:
    """Return the threshold, or the least similarity that is shown if that is higher.

    A decision at a lower threshold would say what is withheld, bit by bit.
    """
    least = shown_from(policy)
    return threshold if least is None else max(threshold, least)


def shown(similarity: float, least: float | None, threshold: float | None = None) -> float | None:
    """Return what is shown of a similarity; None where it is withheld.

    The rounded value is on the same side of the threshold.
    """
    if least is None:
        return similarity
    return None if similarity < least else rounded(similarity, threshold)


def rounded(similarity: float, threshold: float | None = None) -> float:
    value = round(similarity, _DECIMALS)
    if threshold is None or (similarity >= threshold) == (value >= threshold):
        return value
    to_side = ceil if similarity >= threshold else floor
    return to_side(similarity * _STEPS) / _STEPS


def disclosed(decision: Decision, policy: Thresholds) -> Decision:
    """Return what the present caller may know of a decision. The rate follows from what is shown.

    `policy` is the one that decided.
    """
    least = shown_from(policy)
    if least is None:
        return decision
    candidates = tuple(
        replace(
            found,
            similarity=rounded(found.similarity, threshold_of(found, decision.threshold)),
        )
        for found in decision.candidates
        if found.similarity >= least
    )
    if candidates:
        similarity, rate = candidates[0].similarity, decision.fpir
        if rate is not None and decision.scale is not None:
            rate = decision.scale.error_rate(similarity)
        return replace(
            decision, candidates=candidates, similarity=similarity, fpir=rate, shown_from=least
        )
    reason = RateReason.WITHHELD if decision.candidates else decision.rate_reason
    return replace(
        decision,
        candidates=(),
        similarity=None,
        fpir=None,
        rate_reason=reason,
        shown_from=least,
    )
