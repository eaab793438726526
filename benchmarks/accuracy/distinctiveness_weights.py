"""Fit the weights of `distinctiveness`.

A face is dangerous if it matches many strangers who have the same fault. Logistic regression finds
the direction, among embeddings, in which such faces lie. The measure is the logit along it, turned
round and scaled: 1 in 300 good photos is below the quality floor.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from models.zoo.weights.distinctiveness import Distinctiveness

Embeddings = NDArray[np.float32]
"""(N, dimension), each of unit length."""

_HARMLESS_UP_TO, _DANGEROUS_FROM = 0.01, 0.04
"""Shares of strangers matched. Between them, a face counts in part as dangerous."""
_REGULARISATION: Final = 1e-3
"""Weight of the squared weights, beside the mean loss, where embeddings are multiplied by
`_SPREAD`, so that they vary by about 1 in each dimension."""
_SPREAD: Final = 10.0
_SCALE: Final = ((0.2, 0.0035), (0.6, 0.02))
"""Values of the measure, and the shares of good photos that are below them."""
_DIGITS: Final = 4


@dataclass(frozen=True)
class BadFaces:
    """Embeddings of bad photos; for each its person and its kind."""

    embeddings: Embeddings
    people: NDArray[np.str_]
    kinds: NDArray[np.str_]


@dataclass(frozen=True)
class GoodFaces:
    """Embeddings of photos as they are; for each its person."""

    embeddings: Embeddings
    people: NDArray[np.str_]


def fit_distinctiveness(
    good: GoodFaces, bad: BadFaces, threshold: float, *, least_faces: int = 20
) -> Distinctiveness:
    """The measure that separates dangerous faces from others.

    `threshold` is the similarity from which two faces match. Kinds with fewer than `least_faces`
    are not looked at to say which faces are dangerous. Raises ValueError where none is.
    """
    centre = good.embeddings.mean(axis=0, dtype=np.float64)
    rows, labels, weights = [], [], []
    both: tuple[GoodFaces | BadFaces, ...] = (good, bad)
    dangers = [danger(faces, bad, threshold, least_faces=least_faces) for faces in both]
    if not any(of.any() for of in dangers):
        raise ValueError("no bad face matches strangers: there is nothing to be separated")
    for faces, dangerous in zip(both, dangers, strict=True):
        # Each face is counted twice, as the part of it that is dangerous and as the other part.
        for label, share in ((1, dangerous), (0, 1 - dangerous)):
            rows.append((faces.embeddings - centre) * _SPREAD)
            labels.append(np.full(len(share), label))
            weights.append(share / len(share))
    weight = np.concatenate(weights)
    model = LogisticRegression(C=1 / (2 * _REGULARISATION), tol=1e-6, max_iter=2_000)
    model.fit(np.concatenate(rows), np.concatenate(labels), sample_weight=weight / weight.sum())
    along = np.asarray(model.coef_[0], dtype=np.float64) * _SPREAD
    return _scaled(along, good.embeddings.astype(np.float64) @ along)


def danger(
    faces: GoodFaces | BadFaces, bad: BadFaces, threshold: float, *, least_faces: int = 20
) -> NDArray[np.float64]:
    """How dangerous each face is, 0 to 1: by the largest share, over the kinds, of bad faces of
    other people that it matches."""
    largest = np.zeros(len(faces.embeddings))
    for kind in np.unique(bad.kinds):
        there = bad.kinds == kind
        if there.sum() < least_faces:
            continue
        matched = faces.embeddings @ bad.embeddings[there].T >= threshold
        strangers = faces.people[:, None] != bad.people[there][None]
        shares = (matched & strangers).sum(axis=1) / np.maximum(strangers.sum(axis=1), 1)
        largest = np.maximum(largest, shares)
    return np.clip((largest - _HARMLESS_UP_TO) / (_DANGEROUS_FROM - _HARMLESS_UP_TO), 0, 1)


def threshold_of_strangers(good: GoodFaces, fmr: float) -> float:
    """The similarity that this share of the pairs of strangers reach, where none was measured."""
    first, second = np.triu_indices(len(good.people), 1)
    strangers = good.people[first] != good.people[second]
    similarities = (good.embeddings @ good.embeddings.T)[first, second][strangers]
    return float(np.quantile(similarities, 1 - fmr))


def _scaled(along: NDArray[np.float64], logits: NDArray[np.float64]) -> Distinctiveness:
    """A direction, and the inner products of good photos with it."""
    (low, rarest), (high, rare) = _SCALE
    worst, better = np.quantile(logits, [1 - rarest, 1 - rare])
    if worst <= better:
        raise ValueError("good photos do not differ: more of them are needed")
    factor = (high - low) / (better - worst)
    return Distinctiveness(
        tuple(_rounded(along * factor)), float(np.round(low - worst * factor, _DIGITS))
    )


def _rounded(values: NDArray[np.float64]) -> Sequence[float]:
    rounded: list[float] = np.round(values, _DIGITS).tolist()
    return rounded
