"""How much of a stored embedding a caller without the right `templates` can compute.

    python -m benchmarks template_recovery [--quick]

A stored embedding is a random direction. The caller searches by embeddings of their own, and sees
what `app/operations/policy/disclosure.py` shows by the calibration of the default embedder:
similarities to three decimals, from a floor upwards. Least squares compute the embedding from these
answers; the figure is its cosine with the stored one, the mean over people. Searches that show the
person are counted, as the limit counts them (`VULTUS_LIMITS__SEARCHES_PER_PERSON`).

- far: 128 random searches, with exact similarities, rounded ones, and rounded ones with the floor.
- climb: the caller begins with an embedding of some similarity (another photo, or a look-alike),
  and searches around it.
- status: the same by `match` and `unknown` alone, whose border is found by bisection.
- chance: random searches, each with the chance of FMR 0.01 to be above the floor, as faces of
  strangers have it.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from app.operations.policy.disclosure import least_shown, shown
from app.operations.policy.thresholds import Thresholds
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import console, print_figures, print_machine
from models.zoo.names import DEFAULT_NETWORK
from models.zoo.registry import ZOO

Vector = NDArray[np.float64]

_BEGINNINGS = (0.35, 0.5, 0.7)
_COUNTS = (20, 40, 120, 480)
_STEP = 0.4
_BISECTIONS = 10
_PEOPLE, _QUICK_PEOPLE = 40, 8


class _Caller:
    """Searches for one stored person, and counts the answers that show them."""

    def __init__(self, seed: int, floor: float, dimension: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.floor = floor
        self._dimension = dimension
        self.stored = self.direction()
        self.count = 0
        self._probes: list[Vector] = []
        self._answers: list[float] = []

    def direction(self, *, away_from: Vector | None = None) -> Vector:
        drawn = self.rng.normal(size=self._dimension)
        if away_from is not None:
            drawn -= (drawn @ away_from) * away_from
        unit: Vector = drawn / np.linalg.norm(drawn)
        return unit

    def like_stored(self, similarity: float) -> Vector:
        away = self.direction(away_from=self.stored)
        return between(self.stored, away, np.sqrt(1 - similarity**2))

    def search(self, probe: Vector) -> float | None:
        answer = shown(float(probe @ self.stored), self.floor)
        self.count += answer is not None
        return answer

    def note(self, probe: Vector, answer: float | None) -> None:
        if answer is not None:
            self._probes.append(probe)
            self._answers.append(answer)

    def recovered(self) -> float:
        """The cosine of what follows from the answers with the stored embedding."""
        if not self._probes:
            return 0.0
        probes = np.stack(self._probes)
        gram = probes @ probes.T + 1e-5 * np.eye(len(probes))
        found = probes.T @ np.linalg.solve(gram, np.array(self._answers))
        return float(found @ self.stored / np.linalg.norm(found))


def between(one: Vector, other: Vector, share: float) -> Vector:
    """The unit vector in the plane of two orthogonal ones with this share of the other."""
    made: Vector = np.sqrt(1 - share**2) * one + share * other
    return made


def _far(caller: _Caller, kind: str) -> None:
    for _ in range(128):
        probe = caller.direction()
        exact = float(probe @ caller.stored)
        answers = {"exact": exact, "rounded": round(exact, 3), "floor": caller.search(probe)}
        caller.note(probe, answers[kind])


def _climb(caller: _Caller, beginning: float, count: int) -> None:
    first = caller.like_stored(beginning)
    caller.note(first, caller.search(first))
    while caller.count < count:
        probe = between(first, caller.direction(away_from=first), _STEP)
        caller.note(probe, caller.search(probe))


def _by_status(caller: _Caller, beginning: float, count: int) -> None:
    first = caller.like_stored(beginning)
    while caller.count < count:
        away = caller.direction(away_from=first)
        low, high = 0.0, 1.0
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            is_match = caller.search(between(first, away, middle)) is not None
            low, high = (middle, high) if is_match else (low, middle)
        caller.note(between(first, away, (low + high) / 2), caller.floor)


def _by_chance(caller: _Caller, count: int) -> None:
    while caller.count < count:
        probe = caller.like_stored(caller.floor + float(caller.rng.exponential(0.03)))
        caller.note(probe, caller.search(probe))


def main() -> None:
    parser = benchmark_parser(__doc__, quick=f"{_QUICK_PEOPLE} people instead of {_PEOPLE}")
    options = parse_options(parser)
    print_machine()
    spec = ZOO[DEFAULT_NETWORK].spec
    assert spec is not None
    policy = Thresholds(spec.name, spec.calibration, target_fmr=1e-3, target_fpir=1e-2)
    floor = least_shown(policy, dimension=spec.dimension)
    people = 2 if options.smoke else _QUICK_PEOPLE if options.quick else _PEOPLE

    def mean(attack: Callable[[_Caller], None]) -> float:
        cosines = []
        for seed in range(people):
            caller = _Caller(seed, floor, spec.dimension)
            attack(caller)
            cosines.append(caller.recovered())
        return round(float(np.mean(cosines)), 3)

    figures: dict[str, float] = {"floor": round(floor, 3)}
    for kind in ("exact", "rounded", "floor"):
        figures[f"far_{kind}"] = mean(partial(_far, kind=kind))
    for count in _COUNTS:
        figures[f"chance_{count}"] = mean(partial(_by_chance, count=count))
        for start in _BEGINNINGS:
            name = f"{start:g}_{count}"
            figures[f"climb_{name}"] = mean(partial(_climb, beginning=start, count=count))
            figures[f"status_{name}"] = mean(partial(_by_status, beginning=start, count=count))
    for name, cosine in figures.items():
        console.print(f"{name:20} {cosine:.3f}")
    print_figures("template_recovery", figures)


if __name__ == "__main__":
    main()
