"""Miners: the choice of the pairs or triplets of a batch that a loss is computed of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from pydantic import Field
from pytorch_metric_learning.miners import (
    BaseMiner,
    BatchEasyHardMiner,
    BatchHardMiner,
    TripletMarginMiner,
)
from pytorch_metric_learning.utils.loss_and_miner_utils import get_random_triplet_indices
from torch import Tensor
from torch.nn import functional

from models.training.errors import MinerOptionsError, UnknownMinerError
from models.training.losses.distances import Euclidean, euclidean
from models.training.options import NoOptions, Options, read_options
from models.training.tuples import MinedTuples, Pairs, Triplets, same_person

Miner = Callable[[Tensor, Tensor], MinedTuples]
"""A function from embeddings (N, D), as the network gives them, and labels (N,) to tuples.

No gradient passes through a miner. Draws come from PyTorch's generator.
"""


@dataclass(frozen=True, slots=True)
class MinerSpec:
    """A miner by name. `build` returns None for the miner that leaves nothing out."""

    name: str
    title: str
    source: str
    options: type[Options]
    build: Callable[[Any], Miner | None]


def build_miner(name: str, options: Mapping[str, object] | None = None) -> Miner | None:
    """A miner; None for `all`, since losses use all pairs or triplets by default.

    Raises UnknownMinerError, MinerOptionsError.
    """
    spec = MINERS.get(name)
    if spec is None:
        raise UnknownMinerError(f"no miner {name!r}; there are: {', '.join(MINERS)}")
    chosen = read_options(spec.options, options, of=f"the miner {name}", error=MinerOptionsError)
    return spec.build(chosen)


class RandomOptions(Options):
    triplets_per_anchor: int = Field(4, ge=1, le=10_000, description="drawn for each example")


def _random(options: RandomOptions) -> Miner:
    def mine(_embeddings: Tensor, labels: Tensor) -> MinedTuples:
        return Triplets(
            *get_random_triplet_indices(labels, t_per_anchor=options.triplets_per_anchor)
        )

    return mine


class SemiHardOptions(Options):
    margin: float = Field(0.2, gt=0, le=4, description="how far beyond the positive it may be")
    squared: bool = Field(True, description="whether distances are squared, as in FaceNet")


def _semi_hard(options: SemiHardOptions) -> Miner:
    return _by_library(
        TripletMarginMiner(
            margin=options.margin,
            type_of_triplets="semihard",
            distance=Euclidean(squared=options.squared, normalise=True),
        )
    )


def _by_library(miner: BaseMiner) -> Miner:
    def mine(embeddings: Tensor, labels: Tensor) -> MinedTuples:
        # In half precision, similar distances become equal.
        anchors, positives, *_, negatives = miner(embeddings.detach().float(), labels)
        return Triplets(anchors, positives, negatives)

    return mine


class DistanceWeightedOptions(Options):
    nearest: float = Field(
        0.5,
        gt=0,
        lt=2,
        description="smaller distances count as this one, so that noise is not always drawn",
    )
    farthest: float = Field(
        1.4, gt=0, le=2, description="negatives beyond are drawn only where an anchor has no other"
    )


def _distance_weighted(options: DistanceWeightedOptions) -> Miner:
    """A miner in place of the library's, which scales weights by the largest of the batch: in many
    dimensions, the weights of most anchors underflow then, and these anchors are left out.
    """

    def mine(embeddings: Tensor, labels: Tensor) -> MinedTuples:
        with torch.no_grad():
            weights = _inverse_density(embeddings.detach().float(), labels, options)
            anchors, positives = torch.where(same_person(labels, labels))
            usable = (weights.sum(dim=1) > 0)[anchors]
            anchors, positives = anchors[usable], positives[usable]
            if not len(anchors):
                return Triplets(anchors, positives, anchors)
            drawn = torch.multinomial(weights[anchors], 1).squeeze(1)
        return Triplets(anchors, positives, drawn)

    return mine


def _inverse_density(
    embeddings: Tensor, labels: Tensor, options: DistanceWeightedOptions
) -> Tensor:
    """Weights (N, N), the inverse of the density of a distance on a sphere (Wu et al., 2017):

    q(d) = d^(D-2) (1 - d^2/4)^((D-3)/2).
    """
    unit = functional.normalize(embeddings)
    distance = euclidean(unit, unit).clamp(options.nearest, 2 - 1e-4)
    dimension = unit.shape[1]
    log_density = (dimension - 2) * distance.log()
    log_density += (dimension - 3) / 2 * torch.log1p(-distance.square() / 4)
    apart = labels[:, None] != labels[None, :]
    near = apart & (distance < options.farthest)
    # Equal weights where no negative is near enough.
    weights = torch.where(near.any(dim=1, keepdim=True), -log_density, torch.zeros_like(distance))
    allowed = torch.where(near.any(dim=1, keepdim=True), near, apart)
    weights = weights.masked_fill(~allowed, -torch.inf)
    return torch.softmax(weights, dim=1).nan_to_num()  # NaN: a row without any negative


def _n_pairs(_options: NoOptions) -> Miner:
    """One pair of each person with two examples; second examples are negatives of each other."""

    def mine(_embeddings: Tensor, labels: Tensor) -> MinedTuples:
        order = torch.randperm(len(labels), device=labels.device)
        by_person = order[torch.argsort(labels[order], stable=True)]
        _, counts = torch.unique(labels, return_counts=True)
        starts = (counts.cumsum(0) - counts)[counts >= 2]
        anchors, positives = by_person[starts], by_person[starts + 1]
        i, j = torch.where(~torch.eye(len(anchors), dtype=torch.bool, device=labels.device))
        return Pairs(anchors, positives, anchors[i], positives[j])

    return mine


MINERS: Mapping[str, MinerSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            MinerSpec("all", "all pairs and triplets", "-", NoOptions, lambda _options: None),
            MinerSpec("random", "random triplets", "-", RandomOptions, _random),
            MinerSpec(
                "semi-hard",
                "negatives beyond the positive, but within the margin",
                "Schroff, Kalenichenko, Philbin: FaceNet, 2015",
                SemiHardOptions,
                _semi_hard,
            ),
            MinerSpec(
                "hard",
                "of each anchor, the farthest positive and the nearest negative",
                "Hermans, Beyer, Leibe: In Defense of the Triplet Loss, 2017",
                NoOptions,
                lambda _: _by_library(BatchHardMiner(distance=Euclidean(normalise=True))),
            ),
            MinerSpec(
                "easy-positive",
                "of each anchor, the nearest positive and the nearest negative beyond it",
                "Xuan et al.: Improved Embeddings with Easy Positive Triplet Mining, 2020",
                NoOptions,
                lambda _: _by_library(
                    BatchEasyHardMiner(
                        pos_strategy=BatchEasyHardMiner.EASY,
                        neg_strategy=BatchEasyHardMiner.SEMIHARD,
                        distance=Euclidean(normalise=True),
                    )
                ),
            ),
            MinerSpec(
                "distance-weighted",
                "for each positive pair, a negative drawn evenly over distances",
                "Wu et al.: Sampling Matters in Deep Embedding Learning, 2017",
                DistanceWeightedOptions,
                _distance_weighted,
            ),
            MinerSpec(
                "n-pairs",
                "a random pair of each person, the others' second ones as negatives",
                "Sohn: Multi-class N-pair Loss Objective, 2016",
                NoOptions,
                _n_pairs,
            ),
        )
    }
)
