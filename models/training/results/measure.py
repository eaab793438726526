"""Accuracy of a network on people that it was not trained on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.evaluation.protocols.closed_set import nearest_of_others, recall_at
from models.evaluation.protocols.clusters import kmeans_nmi
from models.evaluation.protocols.open_set import OpenSet, draw_enrolled
from models.evaluation.protocols.search import enroll_first, search
from models.evaluation.statistics.curves import auc, tar_at_fmr
from models.evaluation.statistics.scores import compare_all, pair_scores
from models.training.data.crop_store import CropStore
from models.zoo.network import InputSpec

_LEAST_LENGTH = 1e-12


def embed(
    module: nn.Module,
    store: CropStore,
    numbers: NDArray[np.int64],
    spec: InputSpec,
    *,
    mirror_average: bool,
    device: torch.device,
    batch_size: int,
) -> NDArray[np.float32]:
    """Embeddings of crops as in the service, float32 (N, dimension), of unit length."""
    rows = []
    with torch.inference_mode(), evaluating(module):
        for start in range(0, len(numbers), batch_size):
            crops = np.stack([store.crop(int(n)) for n in numbers[start : start + batch_size]])
            x = normalised(torch.from_numpy(crops), spec, device)
            found = module(x).float()
            if mirror_average:
                found = found + module(x.flip(3)).float()
            rows.append((found / found.norm(dim=1, keepdim=True).clamp_min(_LEAST_LENGTH)).cpu())
    return np.asarray(torch.cat(rows).numpy(), dtype=np.float32)


def normalised(crops: Tensor, spec: InputSpec, device: torch.device) -> Tensor:
    """The input of the network, float32 (N, 3, side, side), for crops uint8 (N, side, side, 3)."""
    x = crops.to(device, non_blocking=True).permute(0, 3, 1, 2).float()
    mean, std = (
        torch.tensor(values, device=device)[None, :, None, None] for values in (spec.mean, spec.std)
    )
    return (x - mean) / std


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Evaluation mode; afterwards, each part has its former mode."""
    before = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, training in before:
            part.training = training


def at_most(labels: NDArray[np.int64], photos: int, *, seed: int) -> NDArray[np.intp]:
    """Ascending indices of at most `photos` photos, all of each drawn person."""
    people, counts = np.unique(labels, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(people))
    taken = people[order[np.cumsum(counts[order]) <= photos]]
    return np.flatnonzero(np.isin(labels, taken))


def figures(
    embeddings: NDArray[np.float32], labels: NDArray[np.int64], *, seed: int, nmi: bool = True
) -> Mapping[str, float]:
    """Figures over all pairs, by the names of `metric_names.METRICS`, without those that the photos
    cannot show."""
    people = np.unique(labels, return_inverse=True)[1].astype(np.intp)
    scores = pair_scores(compare_all(embeddings, people))
    found: dict[str, float] = {}
    if not len(scores.genuine) or not len(scores.impostor):
        return found
    found["auc"] = auc(scores)
    for name, rate in (("1e-2", 1e-2), ("1e-3", 1e-3), ("1e-4", 1e-4)):
        with suppress(ValueError):  # fewer impostor pairs than that
            found[f"tar_at_fmr.{name}"] = tar_at_fmr(scores, rate)
    found["recall.1"] = recall_at(nearest_of_others(embeddings, people), [1])[1]
    if nmi:
        found["nmi"] = kmeans_nmi(embeddings, people, seed=seed)
    return {**found, **_open_set(embeddings, people, seed)}


def _open_set(
    embeddings: NDArray[np.float32], people: NDArray[np.intp], seed: int
) -> Mapping[str, float]:
    """FNIR with half of the people enrolled, by one photo each; all other photos are probes."""
    enrolled = draw_enrolled(int(people.max()) + 1, share=0.5, seed=seed)
    split = enroll_first(people, enrolled=enrolled)
    seen = search(embeddings, people, split)
    of_probes = people[split.probes]
    known = enrolled[of_probes]
    trial = OpenSet(
        seen.own[known],
        seen.rank[known],
        of_probes[known],
        seen.best[~known],
        of_probes[~known],
    )
    found: dict[str, float] = {}
    if known.any():
        for name, rate in (("1e-1", 1e-1), ("1e-2", 1e-2)):
            with suppress(ValueError):  # fewer probes of strangers than that
                found[f"fnir_at_fpir.{name}"] = trial.fnir(trial.threshold_at_fpir(rate))
    return found
