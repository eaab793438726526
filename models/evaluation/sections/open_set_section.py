"""The section of open-set identification (1:N): FNIR at FPIR, and both at thresholds."""

import numpy as np
from numpy.typing import NDArray

from models.evaluation.errors import NotMeasurableError
from models.evaluation.options import EvaluationOptions
from models.evaluation.photos import LabelledPhotos
from models.evaluation.protocols.open_set import OpenSet, curve, draw_enrolled
from models.evaluation.report.report_document import (
    Figure,
    Plot,
    Section,
    Series,
    count,
    measured,
    rate_name,
)
from models.evaluation.sections.searched_probes import Trial, count_of_photos, search_all
from models.evaluation.sections.verification_figures import measurable
from models.evaluation.statistics.resample import Weights


def open_set_section(
    photos: LabelledPhotos, weights: Weights, options: EvaluationOptions
) -> Section:
    """Raises NotMeasurableError without probes of enrolled people, or of others."""
    chosen = draw_enrolled(photos.person_count, share=options.enrolled_share, seed=options.seed)
    trial = search_all(photos, options.enroll_photos, chosen)
    known = trial.enrolled[trial.people] & trial.usable
    strangers = ~chosen[trial.people] & trial.usable
    if not known.any() or not strangers.any():
        raise NotMeasurableError(
            "open-set identification needs enrolled people with further photos, and people who "
            "are not enrolled; add people and photos"
        )
    compared = _open_set(trial, known, strangers)
    # With failures: a failed attempt has no match.
    attempted = _open_set(trial, chosen[trial.people], ~chosen[trial.people])
    failed = attempted.own.size + attempted.best.size != int(known.sum() + strangers.sum())
    figures = [
        count("open_set.enrolled_people", "people enrolled", int(trial.enrolled.sum())),
        count("open_set.mated_probes", "probes of enrolled people", int(known.sum())),
        count("open_set.non_mated_probes", "probes of others", int(strangers.sum())),
    ]
    ranks = [rank for rank in options.ranks if rank <= trial.enrolled.sum()]
    for fpir in measurable(options.fpirs, int(strangers.sum())):
        figures += _at_fpir(compared, weights, fpir, ranks)
        if failed and int(fpir * attempted.best.size) >= 1:
            figures += _at_fpir(attempted, weights, fpir, ranks[:1], with_failures=True)
    for threshold in options.identify_thresholds:
        figures += _at_threshold(compared, weights, threshold)
    fpirs, fnirs = curve(compared, ranks)
    return Section(
        "Identification, open set",
        tuple(figures),
        (
            Plot(
                "open_set.fnir",
                "FNIR against FPIR",
                "FPIR",
                "FNIR",
                tuple(Series(f"rank {rank}", fpirs, fnir) for rank, fnir in fnirs.items()),
                x_scale="log",
                y_scale="log",
            ),
        ),
        (_open_note(options),),
    )


def _open_set(trial: Trial, known: NDArray[np.bool_], strangers: NDArray[np.bool_]) -> OpenSet:
    return OpenSet(
        own=trial.found.own[known],
        rank=trial.found.rank[known],
        people=trial.people[known],
        best=trial.found.best[strangers],
        other_people=trial.people[strangers],
    )


def _at_fpir(
    trial: OpenSet,
    weights: Weights,
    fpir: float,
    ranks: list[int],
    *,
    with_failures: bool = False,
) -> list[Figure]:
    threshold = trial.threshold_at_fpir(fpir)
    thresholds = trial.threshold_replicates(weights, fpir)
    name = rate_name(fpir)
    if with_failures:
        key, title = "open_set.fnir_with_failures", "the same, a failure to enroll being a miss,"
    else:
        key, title = "open_set.fnir", "FNIR"
    independent = len(np.unique(trial.people))
    found = [
        measured(
            f"{key}_at_fpir.{name}.rank.{rank}",
            f"{title} at FPIR {name}, rank {rank}",
            trial.fnir(threshold, rank),
            trial.fnir_replicates(weights, thresholds, rank),
            independent=independent,
        )
        for rank in ranks
    ]
    if not with_failures:
        found.append(
            measured(
                f"open_set.threshold_at_fpir.{name}",
                f"similarity at FPIR {name}",
                threshold,
                thresholds,
                kind="similarity",
            )
        )
    return found


def _at_threshold(trial: OpenSet, weights: Weights, threshold: float) -> list[Figure]:
    name = f"{threshold:.4f}"
    return [
        measured(
            f"open_set.fpir_at.{name}",
            f"FPIR at similarity {name}",
            trial.fpir(threshold),
            trial.fpir_replicates(weights, threshold),
            independent=len(np.unique(trial.other_people)),
        ),
        measured(
            f"open_set.fnir_at.{name}",
            f"FNIR at similarity {name}, rank 1",
            trial.fnir(threshold),
            trial.fnir_replicates(weights, threshold),
            independent=len(np.unique(trial.people)),
        ),
    ]


def _open_note(options: EvaluationOptions) -> str:
    enrolled, share = count_of_photos(options.enroll_photos), options.enrolled_share
    return (
        f"Enrolled: the first {enrolled} of {share:.0%} of the people, drawn by seed "
        f"{options.seed}. Probes: their other photos, and all photos of the others."
    )
