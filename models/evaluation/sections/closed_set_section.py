"""The section of closed-set identification (1:N, all people enrolled): CMC and Recall@K."""

import numpy as np

from models.evaluation.errors import NotMeasurableError
from models.evaluation.options import EvaluationOptions
from models.evaluation.photos import LabelledPhotos
from models.evaluation.protocols.closed_set import cmc, hits_by_rank, nearest_of_others, recall_at
from models.evaluation.report.report_document import Figure, Plot, Section, Series, count, measured
from models.evaluation.sections.searched_probes import count_of_photos, search_all
from models.evaluation.statistics.resample import Weights, by_person, interval_ends, shares

_CMC_RANKS = 50
_CLOSED = (
    " People with no other photo are in the gallery, too. Probes: all other photos. Recall@K: each "
    "photo against all others."
)


def closed_set_section(
    photos: LabelledPhotos, weights: Weights, options: EvaluationOptions
) -> Section:
    """Raises NotMeasurableError where no person has a second photo."""
    trial = search_all(photos, options.enroll_photos, None)
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
    band = interval_ends(replicates.T)
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
                (Series("measured", ranks, curve_of_all, band),),
            ),
        ),
        (f"Enrolled: the first {count_of_photos(options.enroll_photos)} of each person.{_CLOSED}",),
    )


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
