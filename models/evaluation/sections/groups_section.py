"""The section of groups: all pairs within groups of people."""

import numpy as np

from models.evaluation.options import EvaluationOptions
from models.evaluation.photos import Groups
from models.evaluation.protocols.groups import rates_by_group, ratio, worst_and_best
from models.evaluation.report.report_document import Figure, Section, count, measured, rate_name
from models.evaluation.sections.verification_figures import Verification, measurable
from models.evaluation.statistics.curves import threshold_at_fmr

_FALSE_MATCHES = 100  # of all people; with fewer, the rates of a group have no meaning

_WITHIN = (
    "Pairs of two people of the same group, at the threshold at which all people together have the "
    "stated FMR. The worst ratio is the highest rate divided by the lowest; the two groups are the "
    "same in all replicates."
)


def groups_section(pairs: Verification, groups: Groups, options: EvaluationOptions) -> Section:
    """FMR and FNMR of each group at thresholds of all people, and the worst ratios."""
    sizes = np.bincount(groups.of[groups.of >= 0], minlength=len(groups.names))
    figures: list[Figure] = [
        count(f"groups.people.{name}", f"people of {name}", int(size))
        for name, size in zip(groups.names, sizes, strict=True)
    ]
    for fmr in measurable(options.fmrs, len(pairs.scores.impostor) // _FALSE_MATCHES):
        threshold = threshold_at_fmr(pairs.scores.impostor, fmr)
        figures += _at(pairs, groups, threshold, f"fmr.{rate_name(fmr)}", f"FMR {rate_name(fmr)}")
    for threshold in options.verify_thresholds:
        name = f"{threshold:.4f}"
        figures += _at(pairs, groups, threshold, name, f"similarity {name}")
    unknown = int((groups.of < 0).sum())
    return Section(
        "Verification by group",
        tuple(figures),
        notes=(_WITHIN, f"{unknown} people have no group.") if unknown else (_WITHIN,),
    )


def _at(
    pairs: Verification, groups: Groups, threshold: float, key: str, title: str
) -> list[Figure]:
    all_once = np.ones((1, pairs.weights.shape[1]), dtype=np.float32)
    once = rates_by_group(pairs.tallies, threshold, all_once, groups.of)
    drawn = rates_by_group(pairs.tallies, threshold, pairs.weights, groups.of)
    people = [
        int((pairs.attempts.compared[groups.of == group] > 0).sum())
        for group in range(len(groups.names))
    ]
    sizes = [int((groups.of == group).sum()) // 2 for group in range(len(groups.names))]
    found = []
    for rate, values, replicates, independent in (
        ("fmr", once[0], drawn[0], sizes),
        ("fnmr", once[1], drawn[1], people),
    ):
        for group, name in enumerate(groups.names):
            if np.isnan(values[0, group]):
                continue
            found.append(
                measured(
                    f"groups.{rate}_at.{key}.{name}",
                    f"{rate.upper()} of {name} at {title}",
                    float(values[0, group]),
                    replicates[:, group],
                    independent=independent[group],
                )
            )
        extremes = worst_and_best(values[0])
        if extremes is not None:
            worst, best = (groups.names[group] for group in extremes)
            found.append(
                measured(
                    f"groups.{rate}_ratio_at.{key}",
                    f"worst ratio of {rate.upper()} at {title}: {worst} to {best}",
                    float(ratio(values, *extremes)[0]),
                    ratio(replicates, *extremes),
                    kind="ratio",
                )
            )
    return found
