"""Right and wrong matches by the margin between the first and the second candidate.

    python -m benchmarks margin --faces FOLDER [--quick] [--cache FILE]

People are split into two halves, again and again: similarities are calibrated on one, and the other
is enrolled, with one photo each. Their other photos are identified at two FPIRs, by margins that
are shares of the similarity between FMR 1e-3 and 1e-4. A margin turns wrong names into ambiguous
answers, and right ones, too: both are shares of all photos of enrolled people. Strangers are
people who are left out of the gallery.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from benchmarks.kit.lfw_data import lfw_data
from benchmarks.kit.lfw_embeddings import People
from benchmarks.kit.options import benchmark_parser, parse_options, people_to_measure
from benchmarks.kit.report import console, print_figures, print_machine

_SHARES = (0.0, 0.1, 0.2, 0.36, 0.5, 0.75, 1.0, 1.5, 2.0)
_TARGET_FPIRS = (0.1, 0.01)
_SPLITS, _QUICK_SPLITS = 20, 4
_STRANGERS = 0.2  # of those measured on

Numbers = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Answers:
    """The two nearest people of each probe, (N, 2), most similar first, and whether the nearest is
    the right one, (N,)."""

    similarity: NDArray[np.float32]
    right: NDArray[np.bool_]

    def named(self, threshold: float, margin: float) -> NDArray[np.bool_]:
        """Whether there is a match, (N,)."""
        first, second = self.similarity.T
        rival = (second >= threshold) & (first - second < margin)
        return np.asarray((first >= threshold) & ~rival)


def main() -> None:
    parser = benchmark_parser(__doc__, quick=f"{_QUICK_SPLITS} splits only", faces=True, cache=True)
    options = parse_options(parser, needs_faces=True)
    data = lfw_data(parser, options.faces)
    print_machine()
    people, _, splits = people_to_measure(options, data, quick_draws=_QUICK_SPLITS, draws=_SPLITS)
    rates = [_split(people, seed) for seed in range(splits)]
    _report(np.mean([rate for rate, _ in rates], axis=0), float(np.mean([d for _, d in rates])))


def _split(people: People, seed: int) -> tuple[NDArray[np.float64], float]:
    """Shares of right names, wrong names and strangers named, (FPIRs, margins, 3); the decade."""
    rng = np.random.default_rng(seed)
    calibrated_on, measured_on = np.array_split(rng.permutation(people.count), 2)
    measured = people.calibrate_on(calibrated_on)
    decade = measured.threshold(1e-4) - measured.threshold(1e-3)
    strangers, enrolled = np.split(measured_on, [int(_STRANGERS * len(measured_on))])
    known, unknown = _identify(people, enrolled, strangers)
    count = len(enrolled)
    shares = []
    for target in _TARGET_FPIRS:
        threshold = measured.identification_threshold(target, people=count, faces=count)
        for share in _SHARES:
            named, strangers_named = (
                found.named(threshold, share * decade) for found in (known, unknown)
            )
            right, wrong = named & known.right, named & ~known.right
            shares.append((right.mean(), wrong.mean(), strangers_named.mean()))
    return np.array(shares).reshape(len(_TARGET_FPIRS), len(_SHARES), 3), decade


def _identify(people: People, enrolled: Numbers, strangers: Numbers) -> tuple[Answers, Answers]:
    gallery = people.embeddings[[people.photos_of[person][0] for person in enrolled]]
    probes = [(photo, n) for n, p in enumerate(enrolled) for photo in people.photos_of[p][1:]]
    photos, truth = (np.array(column) for column in zip(*probes, strict=True))
    others = np.concatenate([people.photos_of[person] for person in strangers])
    return (
        _answers(people.embeddings[photos] @ gallery.T, truth),
        _answers(people.embeddings[others] @ gallery.T, np.full(len(others), -1)),
    )


def _answers(similarities: NDArray[np.float32], truth: Numbers) -> Answers:
    nearest = np.argsort(-similarities, axis=1)[:, :2]
    return Answers(np.take_along_axis(similarities, nearest, axis=1), nearest[:, 0] == truth)


def _report(shares: NDArray[np.float64], decade: float) -> None:
    table = Table(
        "target FPIR", "share of a decade", "margin", "right names", "wrong names",
        "strangers named", title="per cent of photos, one photo a person enrolled",
    )  # fmt: skip
    figures = []
    for target, of_target in zip(_TARGET_FPIRS, shares.tolist(), strict=True):
        for share, (right, wrong, strangers) in zip(_SHARES, of_target, strict=True):
            table.add_row(
                f"{target:g}", f"{share:g}", f"{share * decade:.4f}", f"{100 * right:.2f}",
                f"{100 * wrong:.3f}", f"{100 * strangers:.2f}",
            )  # fmt: skip
            figures.append(
                {
                    "target_fpir": target,
                    "share": share,
                    "margin": share * decade,
                    "right": right,
                    "wrong": wrong,
                    "strangers": strangers,
                }
            )
    console.print(table)
    print_figures("margin", {"margins": figures})
