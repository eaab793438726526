"""Measurement of a similarity map on embeddings of people."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.evaluation.calibration.similarity_map import Gains, SimilarityMap, clamp_log, gain_at
from models.evaluation.calibration.tail import fit_tail

Floats = NDArray[np.float64]

FEWEST_PEOPLE = 50
"""The share of similar strangers has no meaning with fewer people."""

_RESAMPLES = 200
_ROWS_AT_ONCE = 512
_KEPT_FMR = 0.2  # the most similar pairs are kept one by one, up to this rate or a lower one
_COMMON_FMRS = (0.999, 0.99, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.03)
_SOME_PEOPLE = 2_000
_TAIL_PAIRS = 250  # the most similar pairs, which the tail is fitted to
_KNOTS = 96
_EQUAL_PROBES = 100.0  # a gamma shape at which probes are practically equal
_SPREAD_MATCHES = 30  # fewer matches do not show their distribution over probes
_GAIN_EXAMPLES = (2, 3, 5, 8)
USUAL_GAINS: Gains = ((1.0, 1.0), (2.0, 2.7), (3.0, 3.6), (5.0, 4.8), (8.0, 6.2))
"""The gains of dlib-resnet on LFW, the largest of all measured networks."""
_GAIN_MATCHES = 100
_GAIN_FMR = 1e-3
_MOST_PHOTOS = 12_000  # of more photos, this number is drawn, with 72 million pairs
_MOST_KEPT = 3_000_000
_INTERVAL = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """The most similar pairs of photos of different people, in descending order; each (n,).

    `first` and `second` are the numbers of the people. The weights of all pairs of photos of two
    people have the sum 1.
    """

    similarity: Floats
    weight: Floats
    first: NDArray[np.int32]
    second: NDArray[np.int32]


def measure_map(
    embeddings: NDArray[np.float32],
    people: Sequence[str],
    *,
    embedder: str,
    digest: str,
    source: str,
    usual_gains: Gains = USUAL_GAINS,
    seed: int = 0,
) -> SimilarityMap:
    """Measure the FMR at every similarity, its interval, its spread over probes, and gains.

    `embeddings` is (N, dimension) of unit length; `people` (N,) are the names of their people.
    `usual_gains` replace template gains where too few strangers match to measure them. Every pair
    of people counts once, however many photos they have. The interval comes from drawing people
    with replacement, since pairs that share a person are not independent (vertex bootstrap;
    Snijders and Borgatti, 1999). Beyond the 250 most similar pairs, rates follow a fitted tail (see
    `tail.py`).

    Two names for one person count as similar strangers and make the tail too heavy: thresholds are
    then too strict. Raises ValueError for fewer than FEWEST_PEOPLE people.
    """
    embeddings, labels = _drawn(embeddings, people, seed)
    count = int(labels.max()) + 1 if len(labels) else 0
    if count < FEWEST_PEOPLE:
        raise ValueError(
            f"{count} people are too few to measure how alike strangers are; it takes "
            f"{FEWEST_PEOPLE} at least, so add some"
        )
    pairs, total = _similar_pairs(embeddings, labels)
    tail_from = min(_TAIL_PAIRS, len(pairs.similarity) // 4)
    knots = _knots(pairs.similarity, tail_from)
    fmr = _rates(pairs, np.ones(count), knots, tail_from)
    low, high = _interval(pairs, count, knots, tail_from, seed)
    low, high = np.minimum(low, fmr), np.maximum(high, fmr)
    # At lower similarities, rates are near 1, and intervals do not matter.
    common, common_rates = _common(embeddings, labels, below=knots[0], above_rate=float(high[0]))
    knots = np.concatenate([common, knots])
    fmr, low, high = (np.concatenate([common_rates, rates]) for rates in (fmr, low, high))
    spread = _spread(embeddings, labels, knots, fmr)
    unfinished = SimilarityMap(
        embedder=embedder,
        digest=digest,
        source=source,
        people=count,
        photos=len(labels),
        pairs=total,
        similarities=tuple(knots.tolist()),
        log_fmr=_falling(fmr),
        log_low=_falling(low),
        log_high=_falling(high),
        log_spread=tuple(np.minimum.accumulate(np.log10(spread)).tolist()),
        data_ends=float(pairs.similarity[tail_from]),
        template_gain=((1.0, 1.0),),
    )
    gains = _gains(embeddings, labels, unfinished.threshold(_GAIN_FMR), usual_gains)
    return SimilarityMap.from_json({**unfinished.to_json(), "template_gain": gains})


def _drawn(
    embeddings: NDArray[np.float32], people: Sequence[str], seed: int
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """All photos, or a draw of too many, and the numbers of their people, from 0."""
    names = np.asarray(people)
    if len(names) > _MOST_PHOTOS:
        some = np.random.default_rng(seed).choice(len(names), _MOST_PHOTOS, replace=False)
        embeddings, names = embeddings[np.sort(some)], names[np.sort(some)]
    return embeddings, np.unique(names, return_inverse=True)[1]


def _similar_pairs(embeddings: NDArray[np.float32], labels: NDArray[np.intp]) -> tuple[_Pairs, int]:
    """The most similar pairs, up to an FMR of about _KEPT_FMR, and the number of all pairs."""
    photos = np.bincount(labels)
    floor = _floor(embeddings, labels)
    parts: list[tuple[NDArray[np.float32], NDArray[np.intp], NDArray[np.intp]]] = []
    total = 0
    columns = np.arange(len(labels))
    for start in range(0, len(labels), _ROWS_AT_ONCE):
        rows = columns[start : start + _ROWS_AT_ONCE]
        similarities = embeddings[rows] @ embeddings.T
        others = (columns[None, :] > rows[:, None]) & (labels[rows][:, None] != labels[None, :])
        total += int(others.sum())
        left, right = np.nonzero(others & (similarities >= floor))
        parts.append((similarities[left, right], labels[rows][left], labels[right]))
    similarity, first, second = (
        np.concatenate([part[place] for part in parts]) for place in range(3)
    )
    order = np.argsort(-similarity, kind="stable")
    first, second = first[order], second[order]
    return _Pairs(
        np.minimum(similarity[order].astype(np.float64), 1.0),
        1.0 / (photos[first] * photos[second]),
        first.astype(np.int32),
        second.astype(np.int32),
    ), total


def _floor(embeddings: NDArray[np.float32], labels: NDArray[np.intp]) -> float:
    """About the similarity at FMR _KEPT_FMR, or that of the _MOST_KEPT most similar pairs."""
    kept = min(_KEPT_FMR, 2.0 * _MOST_KEPT / max(1, len(labels) ** 2))
    return float(np.quantile(_some_pairs(embeddings, labels), 1.0 - kept))


def _common(
    embeddings: NDArray[np.float32], labels: NDArray[np.intp], *, below: float, above_rate: float
) -> tuple[Floats, Floats]:
    """Similarities that many strangers reach, ascending from -1, and the shares that do."""
    rates = np.array([rate for rate in _COMMON_FMRS if rate > above_rate])
    similarities = np.quantile(_some_pairs(embeddings, labels), 1.0 - rates)
    lower = (similarities > -1.0) & (similarities < below)
    return (
        np.concatenate([[-1.0], similarities[lower]]),
        np.concatenate([[1.0], rates[lower]]),
    )


def _some_pairs(embeddings: NDArray[np.float32], labels: NDArray[np.intp]) -> Floats:
    """Similarities between some people, by one photo of each."""
    some = np.unique(labels, return_index=True)[1][:_SOME_PEOPLE]
    similarities = embeddings[some] @ embeddings[some].T
    return np.asarray(similarities[np.triu_indices(len(some), 1)], dtype=np.float64)


def _knots(descending: Floats, tail_from: int) -> Floats:
    """Similarities at rates that are even in their logarithm; in the tail, even up to 1."""
    ranks = np.geomspace(tail_from, len(descending) - 1, _KNOTS).astype(int)
    body = _to_digits(descending[ranks])  # rounded down, so that the tail begins within the data
    tail = _to_digits(np.linspace(body.max(), 1.0, _KNOTS // 2 + 1))
    return np.unique(np.concatenate([body, tail, [1.0]]))


def _to_digits(similarities: Floats) -> Floats:
    """Similarities with the digits of a stored map, rounded down."""
    return np.asarray(np.floor(similarities * 1e5) / 1e5)


def _rates(pairs: _Pairs, multiplicity: Floats, knots: Floats, tail_from: int) -> Floats:
    """FMR at each knot, (K,), where each person is drawn `multiplicity` times.

    Copies of one person make no pairs, which would be genuine.
    """
    weights = pairs.weight * multiplicity[pairs.first] * multiplicity[pairs.second]
    everyone = multiplicity.sum()
    total = (everyone**2 - (multiplicity**2).sum()) / 2.0
    above = np.concatenate([[0.0], np.cumsum(weights)]) / total
    # The number of pairs that are at least as similar as each knot.
    reach = np.searchsorted(-pairs.similarity, -knots, side="right")
    rates = above[reach]
    start = pairs.similarity[tail_from]
    tail = knots > start
    inside = np.searchsorted(-pairs.similarity, -start, side="right")
    if tail.any() and weights[:inside].sum() > 0:
        excesses = pairs.similarity[:inside] - start
        try:
            survival = fit_tail(excesses, weights[:inside]).survival(knots[tail] - start)
            rates[tail] = above[inside] * survival
        except ValueError:  # all excesses are equal: the counted rates remain
            pass
    return np.asarray(rates)


def _interval(
    pairs: _Pairs, people: int, knots: Floats, tail_from: int, seed: int
) -> tuple[Floats, Floats]:
    random = np.random.default_rng(seed)
    drawn = [
        _rates(
            pairs,
            np.bincount(random.integers(people, size=people), minlength=people).astype(np.float64),
            knots,
            tail_from,
        )
        for _ in range(_RESAMPLES)
    ]
    low, high = np.percentile(np.stack(drawn), _INTERVAL, axis=0)
    return low, high


def _spread(
    embeddings: NDArray[np.float32], labels: NDArray[np.intp], knots: Floats, fmr: Floats
) -> Floats:
    """The gamma shape of the probes' own FMRs at each knot, by the moments of their matches.

    The gallery is one photo of each person; probes are all photos, with equal weight for each
    person. The matches of a probe are Poisson distributed around its own rate, so that
    variance - mean = mean^2 / shape. A power of the FMR is fitted where the difference is
    significant; below the lowest such FMR, the shape is constant. Without a significant difference,
    probes are equal.
    """
    first = np.unique(labels, return_index=True)[1]
    people = len(first)
    counts = np.zeros((len(labels), len(knots)), dtype=np.int32)
    for start in range(0, len(labels), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        similarities = embeddings[rows] @ embeddings[first].T
        own = np.arange(len(similarities)), labels[rows]
        similarities[own] = -2.0
        ascending = np.sort(similarities, axis=1)
        for place, row in enumerate(ascending):
            counts[start + place] = people - np.searchsorted(row, knots, side="left")
    weight = 1.0 / np.bincount(labels)[labels] / people
    mean = weight @ counts
    excess = weight @ (counts.astype(np.float64) ** 2) - mean**2 - mean
    by_chance = np.sqrt((mean + 2.0 * mean**2) / people)  # standard error of a Poisson's excess
    known = (mean * people >= _SPREAD_MATCHES) & (excess > 3.0 * by_chance) & (fmr < 0.5)
    if known.sum() < 2:
        return np.full(len(knots), _EQUAL_PROBES)
    logs = np.log10(np.maximum(fmr, 1e-12))
    shapes = np.log10(mean[known] ** 2 / excess[known])
    slope, at_one = np.polyfit(logs[known], shapes, 1)
    fitted = at_one + max(slope, 0.0) * np.maximum(logs, logs[known].min())
    return np.asarray(np.clip(10.0**fitted, 1e-3, _EQUAL_PROBES))


def _gains(
    embeddings: NDArray[np.float32], labels: NDArray[np.intp], threshold: float, usual: Gains
) -> Gains:
    """The rate at which strangers match the mean of several examples, relative to one example."""
    probes = np.unique(labels, return_index=True)[1]
    photos = np.bincount(labels)
    gains = [(1.0, 1.0)]
    for examples in _GAIN_EXAMPLES:
        single = template = 0.0
        for person in np.flatnonzero(photos >= examples):
            others = embeddings[probes[np.arange(len(probes)) != person]]
            own = embeddings[np.flatnonzero(labels == person)[:examples]]
            similarities = others @ own.T
            single += float(np.mean(similarities >= threshold, axis=1).sum())
            mean = similarities.mean(axis=1) / np.linalg.norm(own.mean(axis=0))
            template += float((mean >= threshold).sum())
        measured = template / single if single >= _GAIN_MATCHES else gain_at(usual, examples)
        gains.append((float(examples), max(measured, gains[-1][1])))
    return tuple(gains)


def _falling(rates: Floats) -> tuple[float, ...]:
    logs = clamp_log(np.minimum(rates, 1.0))
    return tuple(np.minimum.accumulate(logs).tolist())
