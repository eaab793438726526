"""Options of each loss on digits: those that were tried, and those that were chosen."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Run:
    loss: str
    options: Mapping[str, object] = field(default_factory=dict)
    miner: str = "all"


CANDIDATES: Mapping[str, tuple[Run, ...]] = {
    "softmax": (Run("softmax"), Run("softmax", {"label_smoothing": 0.1})),
    "difference": (Run("difference"),),
    "contrastive": (
        Run("contrastive"),
        Run("contrastive", {"margin": 0.5}),
        Run("contrastive", {"margin": 1.0, "positive_margin": 0.5}),
    ),
    "joint": (
        Run("joint"),
        Run("joint", {"weight": 2.0}),
        Run("joint", {"weight": 2.0, "positive_margin": 0.5}),
    ),
    "triplet": (
        Run("triplet", {}, "semi-hard"),
        Run("triplet"),
        Run("triplet", {}, "easy-positive"),
    ),
    "quadruplet": (
        Run("quadruplet"),
        Run("quadruplet", {"margin": 0.2, "second_margin": 0.1}),
        Run("quadruplet", {"margin": 0.2, "second_margin": 0.1}, "easy-positive"),
    ),
    "n-pair": (Run("n-pair", {}, "n-pairs"), Run("n-pair", {"norm_weight": 0.1}, "n-pairs")),
    "lifted": (
        Run("lifted"),
        Run("lifted", {"margin": 0.5}),
        Run("lifted", {}, "easy-positive"),
    ),
    "multi-similarity": (
        Run("multi-similarity"),
        Run("multi-similarity", {"beta": 20.0}),
        Run("multi-similarity", {}, "easy-positive"),
    ),
    "proxy-nca": (Run("proxy-nca"), Run("proxy-nca", {"scale": 3.0})),
    "ranked-list": (
        Run("ranked-list"),
        Run("ranked-list", {"margin": 0.2}),
        Run("ranked-list", {"alpha": 1.0, "margin": 0.2}),
    ),
    "margin": (
        Run("margin", {}, "distance-weighted"),
        Run("margin", {"beta": 0.8}, "distance-weighted"),
    ),
    "centre": (Run("centre"), Run("centre", {"weight": 0.1})),
    "modified-softmax": (Run("modified-softmax"),),
    "sphereface": (Run("sphereface"), Run("sphereface", {"margin": 2})),
    "cosface": (
        Run("cosface", {"scale": 8.0, "margin": 0.1}),
        Run("cosface", {"scale": 16.0, "margin": 0.35}),
    ),
    "arcface": (
        Run("arcface", {"scale": 8.0, "margin_degrees": 10.0}),
        Run("arcface", {"scale": 16.0}),
        Run("arcface", {"scale": 8.0, "margin_degrees": 10.0, "sub_centres": 3}),
    ),
    "adaface": (
        Run("adaface", {"scale": 8.0, "margin": 0.1}),
        Run("adaface", {"scale": 16.0, "margin": 0.4}),
    ),
    "threshold": (
        Run("threshold", {"scale": 8.0}),
        Run("threshold", {"scale": 16.0}),
        Run("threshold", {"scale": 16.0}, "easy-positive"),
    ),
}
"""Runs that `--choose` tries."""

_CHOSEN = {
    "softmax": 1,
    "contrastive": 2,
    "triplet": 2,
    "lifted": 2,
    "proxy-nca": 1,
    "cosface": 1,
    "arcface": 2,
    "threshold": 1,
}
"""The place of the best of the candidates, where it is not the first."""

RUNS: Mapping[str, Run] = {
    name: candidates[_CHOSEN.get(name, 0)] for name, candidates in CANDIDATES.items()
}
"""Runs that are reported."""
