"""Error rates at thresholds for target error rates, on people not used for the calibration.

    python -m benchmarks open_set --faces FOLDER [--quick]

People are split in two halves, again and again: one half is calibrated on, the other measured. For
each size of gallery and each target, the threshold is that of `SimilarityMap`, and the target is
compared with the share of strangers that match. Strangers are always of the half that was not
calibrated on; the gallery is, too, until that half is used up, and is then filled from the other.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from benchmarks.kit.lfw_data import lfw_data
from benchmarks.kit.lfw_embeddings import People
from benchmarks.kit.options import benchmark_parser, parse_options, people_to_measure
from benchmarks.kit.report import console, print_figures, print_machine
from models.evaluation.calibration.similarity_map import SimilarityMap

_SIZES = (100, 500, 1_000, 2_000)
_TARGET_FPIRS = (0.1, 0.01)
_TARGET_FMRS = (1e-2, 1e-3, 1e-4, 1e-5)
_SPLITS = 20
_QUICK_SPLITS = 4
_FEWEST_STRANGERS = 80
_EXAMPLES = (1, 5)  # at most, of a person enrolled; one photo is kept as a probe

Floats = NDArray[np.floating]
Numbers = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates that were measured on one split, at a threshold or a target rate."""

    fpir: float
    fnir: float
    threshold: float


def main() -> None:
    parser = benchmark_parser(__doc__, quick=f"{_QUICK_SPLITS} splits only", faces=True, cache=True)
    options = parse_options(parser, needs_faces=True)
    data = lfw_data(parser, options.faces)
    print_machine()
    people, digest, splits = people_to_measure(
        options, data, quick_draws=_QUICK_SPLITS, draws=_SPLITS
    )
    runs: dict[tuple[int, int, float], list[Rates]] = {}
    pairs: dict[float, list[tuple[float, float, float]]] = {}
    for seed in range(splits):
        rng = np.random.default_rng(seed)
        shuffled = rng.permutation(people.count)
        calibrated_on, measured_on = np.array_split(shuffled, 2)
        rates = people.calibrate_on(calibrated_on, digest=digest)
        for target, shares in _pairs(people, measured_on, rates).items():
            pairs.setdefault(target, []).append(shares)
        for size in _SIZES[:1] if options.smoke else _SIZES:
            for examples in _EXAMPLES:
                parts = (calibrated_on, measured_on)
                found = _identify(people, parts, size, examples, rates, rng)
                for target, rate in found.items():
                    runs.setdefault((size, examples, target), []).append(rate)
    _report(runs, pairs, splits)


def _pairs(
    people: People, some: Numbers, rates: SimilarityMap
) -> dict[float, tuple[float, float, float]]:
    """FMR over pairs of people and of photos, and TAR over pairs of photos, by target FMR."""
    photos = np.concatenate([people.photos_of[person] for person in some])
    owner = people.person[photos]
    similarities = people.embeddings[photos] @ people.embeddings[photos].T
    strangers = owner[:, None] != owner[None, :]
    genuine = ~strangers & np.triu(np.ones_like(strangers), 1)
    weight = 1.0 / np.bincount(owner)[owner]
    weights = (weight[:, None] * weight[None, :])[strangers]
    impostor_similarities = similarities[strangers]
    found = {}
    for target in _TARGET_FMRS:
        above = impostor_similarities >= rates.threshold(target)
        found[target] = (
            float(weights[above].sum() / weights.sum()),
            float(above.mean()),
            float((similarities[genuine] >= rates.threshold(target)).mean()),
        )
    return found


def _identify(
    people: People,
    parts: tuple[Numbers, Numbers],
    size: int,
    examples: int,
    rates: SimilarityMap,
    rng: np.random.Generator,
) -> dict[float, Rates]:
    """FPIR and FNIR of a gallery of this size, by target FPIR."""
    calibrated_on, measured_on = parts
    kept_out = max(_FEWEST_STRANGERS, min(len(measured_on) // 2, people.count - size))
    strangers = measured_on[:kept_out] if size > len(measured_on) // 2 else measured_on[size:]
    candidates = np.setdiff1d(measured_on, strangers, assume_unique=True)
    gallery = np.concatenate([rng.permutation(candidates), calibrated_on])[:size]

    templates, mated, truth, faces = [], [], [], 0
    for place, person in enumerate(gallery):
        photos = people.photos_of[person]
        count = max(1, min(examples, len(photos) - 1))
        mean = people.embeddings[photos[:count]].mean(axis=0)
        templates.append(mean / np.linalg.norm(mean))
        faces += count
        mated.extend(photos[count:])
        truth.extend([place] * len(photos[count:]))
    other = np.concatenate([people.photos_of[person] for person in strangers])
    enrolled = np.stack(templates)
    to_enrolled = people.embeddings[mated] @ enrolled.T
    best, right = to_enrolled.max(axis=1), to_enrolled.argmax(axis=1) == np.array(truth)
    of_strangers = (people.embeddings[other] @ enrolled.T).max(axis=1)
    weight = 1.0 / np.bincount(people.person[other])[people.person[other]]  # a person weighs 1
    found = {}
    for target in _TARGET_FPIRS:
        threshold = rates.identification_threshold(target, people=size, faces=faces)
        named = of_strangers >= threshold
        found[target] = Rates(
            fpir=float((weight * named).sum() / weight.sum()),
            fnir=float(np.mean(~(right & (best >= threshold)))),
            threshold=threshold,
        )
    return found


def _report(
    runs: dict[tuple[int, int, float], list[Rates]],
    pairs: dict[float, list[tuple[float, float, float]]],
    splits: int,
) -> None:
    table = Table(
        "people", "examples up to", "target FPIR", "FPIR", "95 % of splits", "FPIR / target",
        "FNIR", "similarity", title=f"open-set identification, mean of {splits} splits",
    )  # fmt: skip
    figures = []
    for (size, examples, target), rates in runs.items():
        fpirs = np.array([rate.fpir for rate in rates])
        fpir, fnir = float(fpirs.mean()), float(np.mean([rate.fnir for rate in rates]))
        low, high = np.percentile(fpirs, [2.5, 97.5])
        threshold = float(np.mean([rate.threshold for rate in rates]))
        table.add_row(
            f"{size:,}", str(examples), f"{target:g}", f"{fpir:.4f}", f"{low:.4f} to {high:.4f}",
            f"{fpir / target:.2f}", f"{fnir:.4f}", f"{threshold:.4f}",
        )  # fmt: skip
        figures.append(
            {
                "gallery": size,
                "examples": examples,
                "target_fpir": target,
                "fpir": fpir,
                "fpir_interval": [float(low), float(high)],
                "fnir": fnir,
            }
        )
    console.print(table)
    by_pairs = Table(
        "target FMR", "FMR over people", "95 % of splits", "FMR over photos", "TAR",
        title="verification",
    )  # fmt: skip
    pair_figures = []
    for target, found in pairs.items():
        fmrs, photo_fmrs, tars = np.array(found).T
        low, high = np.percentile(fmrs, [2.5, 97.5])
        by_pairs.add_row(
            f"{target:g}", f"{fmrs.mean():.2e}", f"{low:.1e} to {high:.1e}",
            f"{photo_fmrs.mean():.2e}", f"{tars.mean():.4f}",
        )  # fmt: skip
        pair_figures.append(
            {
                "target_fmr": target,
                "fmr": float(fmrs.mean()),
                "fmr_interval": [float(low), float(high)],
                "fmr_over_photos": float(photo_fmrs.mean()),
                "tar": float(tars.mean()),
            }
        )
    console.print(by_pairs)
    print_figures("open_set", {"runs": figures, "pairs": pair_figures})
