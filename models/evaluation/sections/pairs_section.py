"""The sections of pairs: every pair of photos, and the pairs of a list (LFW's View 2)."""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from models.evaluation.errors import NotMeasurableError
from models.evaluation.options import EvaluationOptions
from models.evaluation.photos import LabelledPhotos
from models.evaluation.protocols.cross_validation import cross_validated_accuracy
from models.evaluation.report.report_document import Figure, Section, count, measured
from models.evaluation.sections.verification_figures import (
    Attempts,
    Verification,
    figures,
    measurable,
    plots,
)
from models.evaluation.statistics.curves import threshold_at_fmr
from models.evaluation.statistics.resample import Weights, by_person
from models.evaluation.statistics.scores import Comparisons, PairScores, compare_all, pair_scores
from models.evaluation.statistics.tallies import PairTallies
from models.evaluation.statistics.threshold_grid import threshold_grid

_NO_FACE = -1.0  # the similarity of a pair of which a photo has no embedding: a non-match
_REPLICATES_AT_ONCE = 50


def verify_all_pairs(
    photos: LabelledPhotos, weights: Weights, options: EvaluationOptions
) -> Verification:
    """Compare every pair of photos. Raises NotMeasurableError without genuine or impostor pairs."""
    usable = photos.usable
    embeddings, people = photos.embeddings[usable], photos.people[usable]
    compared = by_person(people, photos.person_count)
    wanted = by_person(photos.people, photos.person_count)
    return _verification(
        "all_pairs",
        lambda: compare_all(embeddings, people),
        Attempts(_pairs_among(compared), _pairs_among(wanted)),
        weights,
        options,
        photos=compared,
    )


def _verification(
    key: str,
    compare: Callable[[], Iterable[Comparisons]],
    attempts: Attempts,
    weights: Weights,
    options: EvaluationOptions,
    *,
    photos: NDArray[np.floating] | None = None,
) -> Verification:
    scores = pair_scores(compare())
    thresholds = threshold_grid(scores, _exact_thresholds(scores, options))
    tallies = PairTallies(compare(), thresholds, people=weights.shape[1], photos=photos)
    return Verification(key, scores, tallies, tallies.rates(weights), weights, attempts)


def all_pairs_section(pairs: Verification, options: EvaluationOptions) -> Section:
    return Section(
        "Verification, all pairs of photos",
        tuple(figures(pairs, fmrs=options.fmrs, thresholds=options.verify_thresholds)),
        plots(pairs),
    )


def listed_pairs_section(
    photos: LabelledPhotos, weights: Weights, options: EvaluationOptions
) -> Section:
    """The listed pairs. Raises NotMeasurableError without genuine or impostor pairs to compare."""
    if photos.pairs is None:
        raise NotMeasurableError("this needs a list of pairs")
    left, right = photos.pairs.left, photos.pairs.right
    usable = photos.usable
    made = usable[left] & usable[right]
    similarity = np.einsum("nd,nd->n", photos.embeddings[left], photos.embeddings[right])
    compared = Comparisons(
        similarity[made].astype(np.float32), photos.people[left[made]], photos.people[right[made]]
    )
    same = photos.people[left] == photos.people[right]
    attempts = Attempts(
        by_person(photos.people[left[same & made]], photos.person_count),
        by_person(photos.people[left[same]], photos.person_count),
    )
    verification = _verification("pairs", lambda: [compared], attempts, weights, options)
    found = figures(verification, fmrs=options.fmrs, thresholds=options.verify_thresholds)
    notes: list[str] = []
    if not made.all():
        notes.append(
            f"{int((~made).sum())} of {len(made)} listed pairs have a photo without an embedding: "
            "they are in no rate unless it says so."
        )
        found.insert(2, count("pairs.not_compared", "pairs not compared", int((~made).sum())))
    folds = photos.pairs.folds
    if folds is None or len(np.unique(folds)) < 2:
        notes.append(
            "Without folds there is no accuracy: its threshold must come from other pairs."
        )
    else:
        notes.append("Accuracy on each fold is that at the threshold that is best on the others.")
        found[:0] = _accuracies(photos, similarity, made, folds, weights)
    return Section("Verification, listed pairs", tuple(found), plots(verification), tuple(notes))


def _accuracies(
    photos: LabelledPhotos,
    similarity: NDArray[np.floating],
    made: NDArray[np.bool_],
    folds: NDArray[np.int_],
    weights: Weights,
) -> list[Figure]:
    assert photos.pairs is not None
    left, right = photos.people[photos.pairs.left], photos.people[photos.pairs.right]
    counted = np.where(made, similarity, _NO_FACE)
    accuracy = cross_validated_accuracy(counted, left == right, folds)
    found = [
        measured(
            "pairs.accuracy",
            "accuracy, a pair not compared being a non-match",
            accuracy.mean,
            _weighted_shares(weights, left, right, accuracy.right),
        ),
        Figure(
            "pairs.accuracy_standard_error",
            "standard error of the accuracy, over the folds",
            accuracy.standard_error,
        ),
    ]
    if not made.all():
        left, right = left[made], right[made]
        only = cross_validated_accuracy(similarity[made], left == right, folds[made])
        found.append(
            measured(
                "pairs.accuracy_of_compared",
                "accuracy of the pairs compared",
                only.mean,
                _weighted_shares(weights, left, right, only.right),
            )
        )
    return found


def _weighted_shares(
    weights: Weights,
    left: NDArray[np.intp],
    right: NDArray[np.intp],
    decided: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """The share of correct decisions in each replicate, (replicates,); the decisions are fixed."""
    found = []
    for start in range(0, len(weights), _REPLICATES_AT_ONCE):
        some = weights[start : start + _REPLICATES_AT_ONCE]
        counts = np.where(left == right, some[:, left], some[:, left] * some[:, right])
        with np.errstate(invalid="ignore"):
            found.append((counts @ decided) / counts.sum(axis=1))
    return np.concatenate(found).astype(np.float64)


def _exact_thresholds(scores: PairScores, options: EvaluationOptions) -> list[float]:
    """The thresholds at which rates are reported: those of the FMRs, and those of the options."""
    if not len(scores.impostor):
        return []
    of_fmrs = [
        threshold_at_fmr(scores.impostor, fmr)
        for fmr in measurable(options.fmrs, len(scores.impostor))
    ]
    return [*of_fmrs, *options.verify_thresholds]


def _pairs_among(photos: NDArray[np.float64]) -> NDArray[np.float64]:
    return photos * (photos - 1) / 2
