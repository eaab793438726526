"""1:N: closed set (CMC, Recall@K) and open set (FNIR at FPIR).

The gallery is the same in all replicates: intervals tell the chance in who is looked for, not the
chance in who is enrolled.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.evaluation.closed_set import cmc, hits_by_rank, nearest_of_others, recall_at
from models.evaluation.errors import NotMeasurableError
from models.evaluation.open_set import OpenSet, curve, draw_enrolled
from models.evaluation.options import EvaluationOptions
from models.evaluation.photos import LabelledPhotos
from models.evaluation.report.document import (
    Figure,
    Plot,
    Section,
    Series,
    count,
    measured,
    rate_name,
)
from models.evaluation.resample import Weights, by_person, interval, shares
from models.evaluation.search import Searched, Split, enroll_first, search
from models.evaluation.sections.verification import measurable

_CMC_RANKS = 50
_CLOSED = (
    " Also those with no other photo are in the gallery. Probes: all other photos. Recall@K: each "
    "photo against all others."
)


@dataclass(frozen=True, slots=True)
class _Trial:
    """A search for all probes. `usable` says which have an embedding; others find nobody.

    `enrolled` says of each person whether they are in the gallery; not there are, of those who
    should be, the ones of whom no photo could be enrolled.
    """

    people: NDArray[np.intp]
    usable: NDArray[np.bool_]
    found: Searched
    enrolled: NDArray[np.bool_]


def closed_set_section(
    photos: LabelledPhotos, weights: Weights, options: EvaluationOptions
) -> Section:
    """Raises NotMeasurableError where no probe is left: nobody has a further photo."""
    trial = _search(photos, options.enroll_photos, None)
    rank, people = trial.found.rank, trial.people
    compared = trial.usable & trial.enrolled[people]
    if not compared.any():
        raise NotMeasurableError(
            f"identification needs people with more than {options.enroll_photos} photos; "
            "there are none"
        )
    everyone = photos.person_count
    gallery = int(trial.enrolled.sum())
    shown = min(_CMC_RANKS, gallery)
    curve_of_all = cmc(rank[compared], shown)
    hits = hits_by_rank(rank[compared], people[compared], count=everyone, ranks=shown)
    replicates = shares(weights, hits, by_person(people[compared], everyone))
    independent = len(np.unique(people[compared]))
    figures = [
        count("closed_set.enrolled_people", "people enrolled", gallery),
        count("closed_set.probes", "probes compared", int(compared.sum())),
        *(
            measured(
                f"closed_set.rank.{k}",
                f"identified at rank {k}",
                float(curve_of_all[k - 1]),
                replicates[:, k - 1],
                independent=independent,
            )
            for k in options.ranks
            if k <= shown
        ),
    ]
    if not compared.all():
        hit = compared & (rank == 1)
        figures.append(
            measured(
                "closed_set.rank.1.with_failures",
                "identified at rank 1, a failure to enroll being a miss",
                float(hit.mean()),
                shares(weights, by_person(people, everyone, hit), by_person(people, everyone)),
            )
        )
    low, high = _bounds(replicates)
    ranks = np.arange(1, shown + 1, dtype=np.float64)
    return Section(
        "Identification, closed set",
        (*figures, *_recalls(photos, weights, options)),
        (
            Plot(
                "closed_set.cmc",
                "CMC",
                "rank",
                "share of probes identified",
                (Series("measured", ranks, curve_of_all, (low, high)),),
            ),
        ),
        (f"Enrolled: the first {_photos(options.enroll_photos)} of each person.{_CLOSED}",),
    )


def open_set_section(
    photos: LabelledPhotos, weights: Weights, options: EvaluationOptions
) -> Section:
    """Raises NotMeasurableError where no probe of either kind is left."""
    chosen = draw_enrolled(photos.person_count, share=options.enrolled_share, seed=options.seed)
    trial = _search(photos, options.enroll_photos, chosen)
    known = trial.enrolled[trial.people] & trial.usable
    strangers = ~chosen[trial.people] & trial.usable
    if not known.any() or not strangers.any():
        raise NotMeasurableError(
            "open-set identification needs enrolled people with further photos, and people who "
            "are not enrolled; add people and photos"
        )
    compared = _open_set(trial, known, strangers)
    # With failures: an attempt that fails names nobody, and whoever is not enrolled is not found.
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


def _search(photos: LabelledPhotos, enroll_photos: int, chosen: NDArray[np.bool_] | None) -> _Trial:
    """A photo that gives no embedding is an attempt that failed: no other takes its place."""
    split = enroll_first(photos.people, photos=enroll_photos, enrolled=chosen)
    usable = photos.usable
    gallery = split.gallery[usable[split.gallery]]
    found = search(photos.embeddings, photos.people, Split(gallery, split.probes))
    enrolled = np.zeros(photos.person_count, dtype=np.bool_)
    enrolled[photos.people[gallery]] = True
    probes_usable = usable[split.probes]
    nobody = np.float32(-np.inf)
    return _Trial(
        people=photos.people[split.probes],
        usable=probes_usable,
        found=Searched(
            own=np.where(probes_usable, found.own, nobody),
            rank=np.where(probes_usable, found.rank, int(enrolled.sum()) + 1),
            best=np.where(probes_usable, found.best, nobody),
        ),
        enrolled=enrolled,
    )


def _open_set(trial: _Trial, known: NDArray[np.bool_], strangers: NDArray[np.bool_]) -> OpenSet:
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


def _recalls(photos: LabelledPhotos, weights: Weights, options: EvaluationOptions) -> list[Figure]:
    usable = photos.usable
    people = photos.people[usable]
    nearest = nearest_of_others(photos.embeddings[usable], people)
    queries = nearest >= 0
    if not queries.any():
        return []
    recalls = recall_at(nearest, options.recall_ks)
    asked = by_person(people[queries], photos.person_count)
    found = []
    for k, value in recalls.items():
        hits = by_person(people[queries], photos.person_count, nearest[queries] < k)
        found.append(
            measured(
                f"closed_set.recall.{k}",
                f"Recall@{k}",
                value,
                shares(weights, hits, asked),
                independent=len(np.unique(people[queries])),
            )
        )
    return found


def _bounds(replicates: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    unknown = float("nan"), float("nan")
    low, high = np.array([interval(column) or unknown for column in replicates.T]).T
    return low, high


def _open_note(options: EvaluationOptions) -> str:
    return (
        f"Enrolled: the first {_photos(options.enroll_photos)} of {options.enrolled_share:.0%} of "
        f"the people, drawn by seed {options.seed}. Probes: their other photos, and all photos of "
        "the others."
    )


def _photos(number: int) -> str:
    return "photo" if number == 1 else f"{number} photos"
