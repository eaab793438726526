"""Miners choose what they promise, of any batch, and nothing else."""

from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor

from models.training.errors import MinerOptionsError, UnknownMinerError
from models.training.miners import MINERS, Miner, build_miner
from models.training.tuples import (
    Pairs,
    Triplets,
    all_pairs,
    all_triplets,
    as_pairs,
    as_triplets,
)
from tests.models.training.batches import LABELS, rows

_Triples = list[tuple[int, int, int]]
_BATCHES = pytest.mark.parametrize("labels", LABELS.values(), ids=list(LABELS))


def _miner(name: str, options: dict[str, object] | None = None) -> Miner:
    miner = build_miner(name, options)
    assert miner is not None
    return miner


def _mined(name: str, x: Tensor, labels: list[int], **options: object) -> _Triples:
    found = _miner(name, options)(x, torch.tensor(labels))
    assert isinstance(found, Triplets)
    columns = (found.anchors, found.positives, found.negatives)
    assert all(column.dtype == torch.int64 for column in columns)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _distances(x: Tensor) -> list[list[float]]:
    unit = [row / np.linalg.norm(row) for row in x.numpy()]
    return [[float(np.linalg.norm(a - b)) for b in unit] for a in unit]


def _valid(labels: list[int]) -> _Triples:
    return [
        (a, p, n)
        for a, p, n in product(range(len(labels)), repeat=3)
        if a != p and labels[a] == labels[p] != labels[n]
    ]


@_BATCHES
def test_all_tuples_are_those_of_loops(labels: list[int]) -> None:
    y = torch.tensor(labels)
    triplets = all_triplets(y, y)
    columns = (triplets.anchors, triplets.positives, triplets.negatives)
    assert list(zip(*(c.tolist() for c in columns), strict=True)) == _valid(labels)
    pairs = all_pairs(y, y)
    places = range(len(labels))
    near = [(i, j) for i in places for j in places if i != j and labels[i] == labels[j]]
    far = [(i, j) for i in places for j in places if labels[i] != labels[j]]
    assert list(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)) == near
    assert list(zip(pairs.left_apart.tolist(), pairs.right_apart.tolist(), strict=True)) == far
    again = as_triplets(pairs)
    columns = (again.anchors, again.positives, again.negatives)
    assert sorted(zip(*(c.tolist() for c in columns), strict=True)) == _valid(labels)
    assert as_pairs(pairs) is pairs
    assert as_pairs(triplets).right_apart is triplets.negatives


@_BATCHES
def test_random_triplets_are_valid_and_as_many_as_asked_for(labels: list[int]) -> None:
    torch.manual_seed(0)
    found = _mined("random", rows(len(labels), seed=1), labels, triplets_per_anchor=5)
    valid = _valid(labels)
    assert set(found) <= set(valid)
    assert len(found) == 5 * len({a for a, _, _ in valid})


def test_random_triplets_are_drawn_evenly() -> None:
    torch.manual_seed(0)
    labels = [0, 0, 0, 1, 1]
    found = _mined("random", rows(5, seed=1), labels, triplets_per_anchor=4_000)
    for triple in _valid(labels):
        share = found.count(triple) / 4_000
        of_anchor = sum(other[0] == triple[0] for other in _valid(labels))
        assert share == pytest.approx(1 / of_anchor, abs=0.03)


@_BATCHES
@pytest.mark.parametrize("squared", [True, False])
def test_semi_hard_negatives_lie_between_positive_and_margin(
    labels: list[int], squared: bool
) -> None:
    x = rows(len(labels), seed=2)
    d = [[v**2 if squared else v for v in row] for row in _distances(x)]
    expected = [(a, p, n) for a, p, n in _valid(labels) if d[a][p] < d[a][n] <= d[a][p] + 0.5]
    assert _mined("semi-hard", x, labels, margin=0.5, squared=squared) == expected


@_BATCHES
def test_hard_tuples_are_the_farthest_positive_and_the_nearest_negative(labels: list[int]) -> None:
    x = rows(len(labels), seed=3)
    d = _distances(x)
    valid = _valid(labels)
    expected = []
    for anchor in sorted({a for a, _, _ in valid}):
        positives = [p for a, p, _ in valid if a == anchor]
        negatives = [n for a, _, n in valid if a == anchor]
        farthest = max(positives, key=lambda p, a=anchor: d[a][p])  # type: ignore[misc]
        nearest = min(negatives, key=lambda n, a=anchor: d[a][n])  # type: ignore[misc]
        expected.append((anchor, farthest, nearest))
    assert _mined("hard", x, labels) == expected


@_BATCHES
def test_easy_positives_are_the_nearest_and_negatives_the_next_beyond(labels: list[int]) -> None:
    x = rows(len(labels), seed=4)
    d = _distances(x)
    valid = _valid(labels)
    expected = []
    for anchor in sorted({a for a, _, _ in valid}):
        near = min((d[anchor][p], p) for a, p, _ in valid if a == anchor)
        beyond = [(d[anchor][n], n) for a, _, n in valid if a == anchor and d[anchor][n] > near[0]]
        if beyond:
            expected.append((anchor, near[1], min(beyond)[1]))
    assert _mined("easy-positive", x, labels) == expected


@_BATCHES
def test_every_positive_pair_gets_a_weighted_negative(labels: list[int]) -> None:
    torch.manual_seed(0)
    found = _mined("distance-weighted", rows(len(labels), seed=5), labels)
    valid = _valid(labels)
    assert set(found) <= set(valid)
    assert sorted({(a, p) for a, p, _ in valid}) == [(a, p) for a, p, _ in found]


def test_negatives_are_drawn_by_how_seldom_their_distance_is() -> None:
    dimension, twins = 6, 60
    x = rows(8, seed=6)
    # The anchor many times over, so that one batch draws for each pair of them.
    x = torch.cat([x[:1].repeat(twins, 1), x[1:]])
    labels = [0] * twins + [1] * 7
    d = _distances(x)[0]
    weights = {}
    for n in range(twins, twins + 7):
        distance = max(d[n], 0.5)
        density = distance ** (dimension - 2) * (1 - distance**2 / 4) ** ((dimension - 3) / 2)
        weights[n] = 1 / density if d[n] < 1.4 else 0.0
    assert 0 < sum(weight == 0 for weight in weights.values()) < 6
    torch.manual_seed(0)
    drawn = [n for a, _, n in _mined("distance-weighted", x, labels) if a < twins]
    assert len(drawn) == twins * (twins - 1)
    for n, weight in weights.items():
        expected = weight / sum(weights.values())
        assert drawn.count(n) / len(drawn) == pytest.approx(expected, abs=0.03)


def test_no_anchor_is_left_out_in_many_dimensions() -> None:
    made = torch.Generator().manual_seed(0)
    x = torch.randn(40, 512, generator=made)
    x[1] = x[20] + 0.1 * x[1]  # one anchor whose nearest negative is much nearer than the others'
    labels = [n // 4 for n in range(40)]
    torch.manual_seed(0)
    assert len(_mined("distance-weighted", x, labels)) == 40 * 3


@_BATCHES
def test_each_person_gives_one_pair_and_negatives_to_all_others(labels: list[int]) -> None:
    seen = set()
    for seed in range(20):
        torch.manual_seed(seed)
        found = _miner("n-pairs")(rows(len(labels), seed=7), torch.tensor(labels))
        assert isinstance(found, Pairs)
        pairs = list(zip(found.left.tolist(), found.right.tolist(), strict=True))
        people = [labels[a] for a, _ in pairs]
        assert all(a != p and labels[a] == labels[p] for a, p in pairs)
        assert sorted(people) == sorted({y for y in labels if labels.count(y) > 1})
        crossed = {(a, q) for a, p in pairs for b, q in pairs if a != b}
        apart = list(zip(found.left_apart.tolist(), found.right_apart.tolist(), strict=True))
        assert set(apart) == crossed
        assert len(apart) == len(crossed)
        seen.update(pairs)
    if labels == LABELS["people of three"]:
        assert seen == {(a, p) for a, p, _ in _valid(labels)}


@pytest.mark.parametrize("name", [name for name in MINERS if name != "all"])
def test_mining_is_decided_by_the_seed_and_stable_in_half_precision(name: str) -> None:
    labels = torch.tensor(LABELS["people of three"])
    x = rows(9, seed=8).to(torch.bfloat16).requires_grad_()
    torch.manual_seed(3)
    first = _miner(name)(x, labels)
    torch.manual_seed(3)
    second = _miner(name)(x.float(), labels)
    for field in first.__dataclass_fields__:
        assert torch.equal(getattr(first, field), getattr(second, field))
        assert not getattr(first, field).requires_grad


def test_all_needs_no_miner_and_what_is_unknown_is_refused() -> None:
    assert build_miner("all") is None
    with pytest.raises(UnknownMinerError, match=r"no miner 'hardest'; there are: all, .*hard"):
        build_miner("hardest")
    with pytest.raises(MinerOptionsError, match="miner hard has no option 'margin'; it has: no"):
        build_miner("hard", {"margin": 1})
    for spec in MINERS.values():
        assert all(field.description for field in spec.options.model_fields.values())
