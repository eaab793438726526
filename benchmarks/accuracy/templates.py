"""FNIR of the rules that compare a probe with several examples of a person.

    python -m benchmarks templates --faces FOLDER [--quick]

People with more than m photos are enrolled with m of them; probes are up to three others of each,
and one photo of each person who is not enrolled. Each rule gets the threshold at which the
strangers' FPIR is the target, so that rules are compared by their FNIR alone. `mixed` enrolls half
of all people with one to five photos, as many as they have to spare, under one threshold for all.

Also: how many times as often two strangers match by templates of both as by one photo of each, at
the similarity of FMR 1e-3, beside the product of what a template of either alone brings.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from benchmarks.kit.lfw_data import lfw_data
from benchmarks.kit.lfw_embeddings import People
from benchmarks.kit.options import benchmark_parser, parse_options, people_to_measure
from benchmarks.kit.report import console, print_figures, print_machine

_EXAMPLES = (2, 3, 5, 8)
_MIXED = "mixed"
_MOST_MIXED = 5
_TARGETS = (0.1, 0.01)
_DRAWS, _QUICK_DRAWS = 10, 3
_PROBES_EACH = 3
_BOTH_SIDES = (1, 2, 3, 5)
"""Photos of the people who are compared by templates of both."""
_BOTH_SIDES_FMR = 1e-3
_ENROLLED = 0.7  # share of those with enough photos; the others are strangers

Floats = NDArray[np.float64]
Rule = Callable[[Floats, Floats, Floats], Floats]
"""Probes (N, dimension), examples (M, dimension) and their quality (M,) to a similarity a probe."""


def _top(count: int) -> Rule:
    return lambda probes, own, _: np.sort(probes @ own.T, axis=1)[:, -count:].mean(axis=1)


def _template(power: float) -> Rule:
    """Each example weighs by this power of its quality."""

    def similarities(probes: Floats, own: Floats, quality: Floats) -> Floats:
        weight = np.maximum(quality, 1.0) ** power
        mean = weight @ own
        return np.asarray(probes @ (mean / np.linalg.norm(mean)))

    return similarities


_RULES: Mapping[str, Rule] = {
    "best example": _top(1),
    "mean of the best 2": _top(2),
    "mean of the best 3": _top(3),
    "mean of all": lambda probes, own, _: (probes @ own.T).mean(axis=1),
    "template": _template(0.0),
    "template, weighted by quality": _template(1.0),
    "template, by quality squared": _template(2.0),
    "template and best, mean": lambda probes, own, quality: (
        (_template(0.0)(probes, own, quality) + (probes @ own.T).max(axis=1)) / 2
    ),
}


def main() -> None:
    parser = benchmark_parser(__doc__, quick=f"{_QUICK_DRAWS} draws only", faces=True, cache=True)
    options = parse_options(parser, needs_faces=True)
    data = lfw_data(parser, options.faces)
    print_machine()
    people, _, draws = people_to_measure(options, data, quick_draws=_QUICK_DRAWS, draws=_DRAWS)
    figures = {
        str(examples): _mean_fnirs(people, examples, draws) for examples in (*_EXAMPLES, None)
    }
    figures[_MIXED] = figures.pop("None")
    _report(figures, draws, _mean_gains(people, draws))


def _mean_fnirs(people: People, examples: int | None, draws: int) -> dict[str, dict[str, float]]:
    """FNIR by rule and by target FPIR."""
    found: dict[str, dict[str, list[float]]] = {}
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        for rule, by_target in _draw(people, examples, rng).items():
            for target, fnir in by_target.items():
                found.setdefault(rule, {}).setdefault(target, []).append(fnir)
    return {
        rule: {target: float(np.mean(fnirs)) for target, fnirs in by_target.items()}
        for rule, by_target in found.items()
    }


def _draw(
    people: People, examples: int | None, rng: np.random.Generator
) -> dict[str, dict[str, float]]:
    gallery, counts = _gallery(people, examples, rng)
    templates: list[NDArray[np.intp]] = []
    mated: list[int] = []
    truth: list[int] = []
    for place, (person, count) in enumerate(zip(gallery, counts, strict=True)):
        photos = rng.permutation(people.photos_of[person])
        templates.append(photos[:count])
        probes = photos[count : count + _PROBES_EACH]
        mated.extend(probes.tolist())
        truth.extend([place] * len(probes))
    strangers = np.setdiff1d(np.arange(people.count), gallery)
    other = [int(rng.choice(people.photos_of[person])) for person in strangers]
    probes = people.embeddings[[*mated, *other]].astype(np.float64)
    scores = {rule: np.empty((len(probes), len(gallery))) for rule in _RULES}
    for place, photos in enumerate(templates):
        own = people.embeddings[photos].astype(np.float64)
        for rule, score in _RULES.items():
            scores[rule][:, place] = score(probes, own, people.quality[photos])
    return {rule: _fnirs(score, np.array(truth)) for rule, score in scores.items()}


def _mean_gains(people: People, draws: int) -> Floats:
    """Gains by the number of photos of the one person and of the other, as in `_BOTH_SIDES`."""
    photos = np.array([len(own) for own in people.photos_of])
    enough = np.flatnonzero(photos >= max(_BOTH_SIDES))
    strangers = ~np.eye(len(enough), dtype=bool)
    found = []
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        drawn = [rng.permutation(people.photos_of[person]) for person in enough]
        sides = [_templates(people, [own[:count] for own in drawn]) for count in _BOTH_SIDES]
        single = (sides[0] @ sides[0].T)[strangers]
        threshold = np.quantile(single, 1.0 - _BOTH_SIDES_FMR)
        matches = [[((a @ b.T)[strangers] >= threshold).mean() for b in sides] for a in sides]
        found.append(np.array(matches) / (single >= threshold).mean())
    return np.asarray(np.mean(found, axis=0))


def _templates(people: People, photos: Sequence[NDArray[np.intp]]) -> Floats:
    means = np.array([people.embeddings[own].astype(np.float64).mean(axis=0) for own in photos])
    return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True))


def _gallery(
    people: People, examples: int | None, rng: np.random.Generator
) -> tuple[NDArray[np.intp], list[int]]:
    """People to enroll, and the number of photos of each."""
    photos = np.array([len(own) for own in people.photos_of])
    if examples is None:
        gallery = rng.permutation(people.count)[: people.count // 2]
        most = np.clip(photos[gallery] - 1, 1, _MOST_MIXED)
        return gallery, [int(rng.integers(1, count + 1)) for count in most]
    enough = rng.permutation(np.flatnonzero(photos > examples))
    gallery = enough[: int(len(enough) * _ENROLLED)]
    return gallery, [examples] * len(gallery)


def _fnirs(scores: Floats, truth: NDArray[np.intp]) -> dict[str, float]:
    best, named = scores.max(axis=1), scores.argmax(axis=1)
    mated = slice(0, len(truth))
    found = {}
    for target in _TARGETS:
        threshold = np.quantile(best[len(truth) :], 1.0 - target)
        right = (named[mated] == truth) & (best[mated] >= threshold)
        found[f"{target:g}"] = float(1.0 - right.mean())
    return found


def _report(
    figures: Mapping[str, Mapping[str, Mapping[str, float]]], draws: int, gains: Floats
) -> None:
    target = f"{_TARGETS[-1]:g}"
    table = Table("rule", *figures, title=f"FNIR at FPIR {target}, by examples, {draws} draws")
    for rule in _RULES:
        table.add_row(rule, *(f"{rules[rule][target]:.4f}" for rules in figures.values()))
    console.print(table)
    both = Table(
        "photos",
        *(f"and {count}" for count in _BOTH_SIDES),
        title=f"matches of strangers by templates of both, in those by one photo of each at FMR "
        f"{_BOTH_SIDES_FMR:g} (product of the gains of one template)",
    )
    for place, count in enumerate(_BOTH_SIDES):
        product = gains[0, place] * gains[0]
        row = (f"{gain:.2f} ({of:.2f})" for gain, of in zip(gains[place], product, strict=True))
        both.add_row(str(count), *row)
    console.print(both)
    print_figures("templates", {"fnir": figures, "gain_of_both": gains.tolist()})
