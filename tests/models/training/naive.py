"""Every loss once more, as loops over its equation in docs/losses.md, for tests to compare with."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Row = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scene:
    """A batch `x` of people `y`, and `everyone` (the batch, then the others) of people `whose`.

    `near` and `far` are the pairs that count, `triplets` the triplets, by their places.
    """

    x: list[Row]
    y: list[int]
    everyone: list[Row]
    whose: list[int]
    near: list[tuple[int, int]]
    far: list[tuple[int, int]]
    triplets: list[tuple[int, int, int]]

    def unit(self) -> "Scene":
        rows, everyone = [_unit(r) for r in self.x], [_unit(r) for r in self.everyone]
        return Scene(rows, self.y, everyone, self.whose, self.near, self.far, self.triplets)


def scene(
    x: NDArray[Any], y: list[int], others: NDArray[Any] | None = None, of: list[int] | None = None
) -> Scene:
    """A scene of which all pairs and triplets count."""
    rows = [np.asarray(r, dtype=np.float64) for r in x]
    everyone = rows + [np.asarray(r, dtype=np.float64) for r in ([] if others is None else others)]
    whose = y + (of or [])
    near, far, triplets = [], [], []
    for i in range(len(y)):
        for j in range(len(whose)):
            if whose[j] != y[i]:
                far.append((i, j))
            elif j != i:
                near.append((i, j))
                triplets += [(i, j, k) for k in range(len(whose)) if whose[k] != y[i]]
    return Scene(rows, y, everyone, whose, near, far, triplets)


Weights = Mapping[str, Any]
"""The loss's own parameters, by name, as arrays."""


def softmax(s: Scene, _: Any, w: Weights) -> float:
    return _mean([_cross_entropy(_linear(w, x), y) for x, y in zip(s.x, s.y, strict=True)])


def difference(s: Scene, _: Any, w: Weights) -> float:
    s = s.unit()

    def z(i: int, j: int) -> float:
        apart = [abs(a - b) for a, b in zip(s.x[i], s.everyone[j], strict=True)]
        made: float = float(w["bias"]) - sum(c * d for c, d in zip(w["weight"], apart, strict=True))
        return made

    return _mean([_softplus(-z(i, j)) for i, j in s.near]) + _mean(
        [_softplus(z(i, j)) for i, j in s.far]
    )


def contrastive(s: Scene, o: Any, _: Weights) -> float:
    s = s.unit()
    near = [max(0, _d(s, i, j) - o.positive_margin) ** 2 for i, j in s.near]
    far = [max(0, o.margin - _d(s, i, j)) ** 2 for i, j in s.far]
    return _mean_positive(near) + _mean_positive(far)


def joint(s: Scene, o: Any, w: Weights) -> float:
    made: float = softmax(s, o, w) + o.weight * contrastive(s, o, w)
    return made


def triplet(s: Scene, o: Any, _: Weights) -> float:
    s = s.unit()
    power = 2 if o.squared else 1
    apart = [_d(s, a, p) ** power - _d(s, a, n) ** power + o.margin for a, p, n in s.triplets]
    return _mean_positive([_softplus(v) if o.smooth else max(0, v) for v in apart])


def quadruplet(s: Scene, o: Any, _: Weights) -> float:
    s = s.unit()
    first, second = [], []
    for a, p, n in s.triplets:
        first.append(max(0, _d(s, a, p) ** 2 - _d(s, a, n) ** 2 + o.margin))
        thirds = [k for k in range(len(s.y)) if s.y[k] not in (s.y[a], s.whose[n])]
        if thirds:
            apart = min(_distance(s.x[k], s.everyone[n]) ** 2 for k in thirds)
            second.append(max(0, _d(s, a, p) ** 2 - apart + o.second_margin))
    return _mean_positive(first) + _mean_positive(second)


def n_pair(s: Scene, o: Any, _: Weights) -> float:
    first: dict[int, tuple[int, int]] = {}
    for i, j in s.near:
        first.setdefault(s.y[i], (i, j))
    pairs = list(first.values())
    terms = []
    for i, p in pairs:
        own = float(s.x[i] @ s.everyone[p])
        others = [float(s.x[i] @ s.everyone[q]) for _, q in pairs if q != p]
        terms.append(math.log(1 + sum(math.exp(other - own) for other in others)))
    made: float = _mean(terms) + o.norm_weight * _mean([float(x @ x) for x in s.x])
    return made


def lifted(s: Scene, o: Any, _: Weights) -> float:
    s = s.unit()
    terms = []
    for i, j in s.near:
        within = [math.exp(o.margin - _d(s, k, m)) for k, m in s.far if k in (i, j)]
        if s.far:
            total = math.log(sum(within)) if within else 0.0
            terms.append(max(0, _d(s, i, j) + total) ** 2 / 2)
    return _mean(terms)


def multi_similarity(s: Scene, o: Any, _: Weights) -> float:
    s = s.unit()
    total = 0.0
    for i in range(len(s.x)):
        near = [_cos(s, i, j) - o.base for a, j in s.near if a == i]
        far = [_cos(s, i, j) - o.base for a, j in s.far if a == i]
        total += math.log(1 + sum(math.exp(-o.alpha * c) for c in near)) / o.alpha
        total += math.log(1 + sum(math.exp(o.beta * c) for c in far)) / o.beta
    return total / len(s.x)


def proxy_nca(s: Scene, o: Any, w: Weights) -> float:
    proxies = [_unit(p) for p in w["core.proxies"]]
    terms = []
    for x, y in zip(s.unit().x, s.y, strict=True):
        terms.append(_cross_entropy([-o.scale * _distance(x, p) ** 2 for p in proxies], y))
    return _mean(terms)


def ranked_list(s: Scene, o: Any, _: Weights) -> float:
    s = s.unit()
    inner = o.alpha - o.margin
    terms = []
    for i in range(len(s.everyone)):
        near = far = 0.0
        near_weight = far_weight = 1e-5 * len(s.everyone)  # of the library, against 0 / 0
        for j in range(len(s.everyone)):
            d = _distance(s.everyone[i], s.everyone[j])
            if i != j and s.whose[i] == s.whose[j] and d > inner:
                near += math.exp(o.positive_temperature * (d - inner)) * (d - inner)
                near_weight += math.exp(o.positive_temperature * (d - inner))
            if s.whose[i] != s.whose[j] and 0 < d < o.alpha:
                far += math.exp(o.negative_temperature * (o.alpha - d)) * (o.alpha - d)
                far_weight += math.exp(o.negative_temperature * (o.alpha - d))
        terms.append((1 - o.balance) * near / near_weight + o.balance * far / far_weight)
    return _mean(terms)


def margin(s: Scene, o: Any, w: Weights) -> float:
    s = s.unit()
    total, active = 0.0, 0
    boundaries = []
    for a, p, n in s.triplets:
        beta = float(w["core.beta"][s.y[a] if o.beta_per_class else 0])
        boundaries.append(beta)
        terms = (
            max(0, o.margin + _d(s, a, p) - beta),
            max(0, o.margin + beta - _d(s, a, n)),
        )
        total += sum(terms)
        active += sum(term > 0 for term in terms)
    if not active:
        return 0.0
    # A boundary of all counts once, those of people once a triplet.
    cost = o.nu * (sum(boundaries) / active if o.beta_per_class else boundaries[0])
    made: float = total / active + cost
    return made


def centre(s: Scene, o: Any, w: Weights) -> float:
    apart = [_distance(x, w["centres"][y]) ** 2 / 2 for x, y in zip(s.x, s.y, strict=True)]
    made: float = softmax(s, o, w) + o.weight * _mean(apart)
    return made


def modified_softmax(s: Scene, _: Any, w: Weights) -> float:
    terms = []
    for x, y in zip(s.x, s.y, strict=True):
        terms.append(_cross_entropy([_norm(x) * c for c in _cosines(x, w["weight"])], y))
    return _mean(terms)


def sphereface(s: Scene, o: Any, w: Weights) -> float:
    softness = max(o.least_softness, o.first_softness / (1 + o.softness_decay * int(w["step"])))
    terms = []
    for x, y in zip(s.x, s.y, strict=True):
        cosines = _cosines(x, w["weight"])
        angle = math.acos(cosines[y])
        k = next(
            k for k in range(o.margin) if k == o.margin - 1 or angle < (k + 1) * math.pi / o.margin
        )
        psi = (-1) ** k * math.cos(o.margin * angle) - 2 * k
        cosines[y] = (softness * cosines[y] + psi) / (1 + softness)
        terms.append(_cross_entropy([_norm(x) * c for c in cosines], y))
    return _mean(terms)


def cosface(s: Scene, o: Any, w: Weights) -> float:
    terms = []
    for x, y in zip(s.x, s.y, strict=True):
        cosines = _cosines(x, np.asarray(w["core.W"]).T)
        cosines[y] -= o.margin
        terms.append(_cross_entropy([o.scale * c for c in cosines], y))
    return _mean(terms)


def arcface(s: Scene, o: Any, w: Weights) -> float:
    added = math.radians(o.margin_degrees)
    terms = []
    for x, y in zip(s.x, s.y, strict=True):
        of_centres = _cosines(x, np.asarray(w["core.W"]).T)
        cosines = [
            max(of_centres[k : k + o.sub_centres]) for k in range(0, len(of_centres), o.sub_centres)
        ]
        angle = math.acos(cosines[y])
        if angle <= math.pi - added:
            cosines[y] = math.cos(angle + added)
        else:
            cosines[y] -= added * math.sin(added)
        terms.append(_cross_entropy([o.scale * c for c in cosines], y))
    return _mean(terms)


def adaface(s: Scene, o: Any, w: Weights) -> float:
    terms = []
    for x, y in zip(s.x, s.y, strict=True):
        spread = max(float(w["length_spread"]), 1e-3)
        q = (_norm(x) - float(w["length_mean"])) / spread * o.concentration
        q = min(max(q, -1), 1)
        cosines = _cosines(x, w["weight"])
        angle = min(max(math.acos(cosines[y]) - o.margin * q, 0), math.pi)
        cosines[y] = math.cos(angle) - o.margin * q - o.margin
        terms.append(_cross_entropy([o.scale * c for c in cosines], y))
    return _mean(terms)


def threshold(s: Scene, o: Any, w: Weights) -> float:
    s = s.unit()
    t = float(w["threshold"])
    return _mean([_softplus(o.scale * (t - _cos(s, i, j))) for i, j in s.near]) + _mean(
        [_softplus(o.scale * (_cos(s, i, j) - t)) for i, j in s.far]
    )


NAIVE: Mapping[str, Callable[[Scene, Any, Weights], float]] = {
    "softmax": softmax,
    "difference": difference,
    "contrastive": contrastive,
    "joint": joint,
    "triplet": triplet,
    "quadruplet": quadruplet,
    "n-pair": n_pair,
    "lifted": lifted,
    "multi-similarity": multi_similarity,
    "proxy-nca": proxy_nca,
    "ranked-list": ranked_list,
    "margin": margin,
    "centre": centre,
    "modified-softmax": modified_softmax,
    "sphereface": sphereface,
    "cosface": cosface,
    "arcface": arcface,
    "adaface": adaface,
    "threshold": threshold,
}


def _norm(row: Row) -> float:
    return math.sqrt(sum(v * v for v in row))


def _unit(row: Row) -> Row:
    row = np.asarray(row, dtype=np.float64)
    return row / max(_norm(row), 1e-12)


def _distance(a: Row, b: Row) -> float:
    return _norm(np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64))


def _d(s: Scene, i: int, j: int) -> float:
    return _distance(s.x[i], s.everyone[j])


def _cos(s: Scene, i: int, j: int) -> float:
    return float(s.x[i] @ s.everyone[j])


def _cosines(x: Row, weights: Any) -> list[float]:
    return [min(max(float(_unit(x) @ _unit(w)), -1), 1) for w in weights]


def _linear(w: Weights, x: Row) -> list[float]:
    rows, biases = w["classify.weight"], w["classify.bias"]
    return [float(np.dot(row, x)) + float(b) for row, b in zip(rows, biases, strict=True)]


def _cross_entropy(logits: list[float], own: int) -> float:
    top = max(logits)
    return top + math.log(sum(math.exp(v - top) for v in logits)) - logits[own]


def _softplus(v: float) -> float:
    return max(v, 0) + math.log1p(math.exp(-abs(v)))


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _mean_positive(values: list[float]) -> float:
    return _mean([v for v in values if v > 0])
