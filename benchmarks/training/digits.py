"""Every loss on handwritten digits: trained on five classes, tested on the five it never saw.

    python -m benchmarks digits [--quick] [--losses NAME ...] [--choose]
    python -m benchmarks digits --picture FILE.png

The digits lie anywhere in pictures of 20 x 20 pixels. (Upright and in their places, the nearest by
raw pixels is of the same class in 99 of 100 cases already.) Trained is on 0 to 4, tested on 5 to 9;
the options in `digits_runs.py` were chosen with the two exchanged, by `--choose`.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import torch
from numpy.typing import NDArray
from rich.table import Table
from torch import Tensor, nn

from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import console, print_figures, print_machine
from benchmarks.training.digits_data import (
    FIRST,
    SECOND,
    SIDE_PX,
    Digits,
    batch_of,
    digits_of,
    placed,
)
from benchmarks.training.digits_runs import CANDIDATES, RUNS, Run
from models.evaluation.protocols.closed_set import nearest_of_others, recall_at
from models.evaluation.protocols.clusters import kmeans_nmi
from models.training.losses import build_loss
from models.training.metrics import METRICS, build_metric
from models.training.miners import build_miner
from models.zoo.networks.small_cnn import SmallCnn

DIMENSION = 64
STEPS = 60
_EACH = 12  # examples of a class in a batch
_RATE, _LOSS_RATE = 1e-3, 1e-2
_SEEDS, _QUICK_SEEDS, _CHOOSING_SEEDS = 3, 1, 2
_RAW, _IN_PLACE, _UNTRAINED = "raw pixels", "raw pixels, not moved", "network, untrained"


@dataclass(frozen=True, slots=True)
class Score:
    """Recall@1 and NMI of unseen classes, and the time of training."""

    recall: float
    nmi: float
    seconds: float = 0.0


def main() -> None:
    parser = benchmark_parser(__doc__, quick=f"{_QUICK_SEEDS} seeds only")
    parser.add_argument("--losses", nargs="+", choices=list(RUNS), default=list(RUNS))
    parser.add_argument("--choose", action="store_true", help="try options, on exchanged halves")
    parser.add_argument("--picture", type=Path, help="draw embeddings of two dimensions instead")
    parser.add_argument(
        "--beside", choices=list(RUNS), default="contrastive", help="drawn beside softmax"
    )
    options = parse_options(parser)
    torch.set_num_threads(1)
    if options.picture:
        # Here, because only the picture needs it.
        from benchmarks.training.digits_picture import draw  # noqa: PLC0415

        draw(options.picture, beside=options.beside)
        return
    print_machine()
    if options.choose:
        _choose(options.losses)
        return
    if options.smoke:
        _report(measure(options.losses[:2], seeds=1, steps=2))
        return
    _report(measure(options.losses, seeds=_QUICK_SEEDS if options.quick else _SEEDS))


def measure(losses: Sequence[str], *, seeds: int, steps: int = STEPS) -> dict[str, list[Score]]:
    """Scores by what they are of, one a seed: the baselines, the losses, and linear metrics."""
    seen, unseen = digits_of(FIRST), digits_of(SECOND)
    scores: dict[str, list[Score]] = defaultdict(list)
    for seed in range(seeds):
        pictures = _pictures(unseen, seed)
        scores[_RAW].append(score(pictures.flatten(1).numpy(), unseen, seed))
        as_scanned = unseen.pictures.flatten(1).numpy()
        scores[_IN_PLACE].append(score(as_scanned, unseen, seed))
        torch.manual_seed(seed)
        network: nn.Module = SmallCnn(DIMENSION, channels=1, side=SIDE_PX)
        scores[_UNTRAINED].append(score(embed(network, pictures), unseen, seed))
        for name in losses:
            begun = time.perf_counter()
            network = train(RUNS[name], seen, seed=seed, steps=steps)
            seconds = time.perf_counter() - begun
            embeddings = embed(network, pictures)
            scores[name].append(score(embeddings, unseen, seed, seconds))
            if name == "softmax":
                for metric, found in _metrics(network, embeddings, seen, unseen, seed):
                    scores[f"softmax, then {metric}"].append(found)
    return dict(scores)


def train(
    run: Run, digits: Digits, *, seed: int, steps: int, dimension: int = DIMENSION
) -> nn.Module:
    """A small network, from scratch, in batches of all classes."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    classes = int(digits.labels.max()) + 1
    network = SmallCnn(dimension, channels=1, side=SIDE_PX)
    loss = build_loss(run.loss, dimension=dimension, classes=classes, options=run.options)
    miner = build_miner(run.miner)
    learned = [
        {"params": network.parameters(), "lr": _RATE},
        {"params": loss.parameters(), "lr": _LOSS_RATE},
    ]
    optimiser = torch.optim.AdamW(learned, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        pictures, labels = batch_of(digits, _EACH, generator)
        embeddings = network(pictures)
        pairs = miner(embeddings, labels) if miner else None
        optimiser.zero_grad()
        loss(embeddings, labels, pairs=pairs).backward()
        optimiser.step()
        schedule.step()
    return network


def embed(network: nn.Module, pictures: Tensor) -> NDArray[np.float32]:
    network.eval()
    with torch.inference_mode():
        rows = network(pictures).numpy()
    return np.asarray(rows, dtype=np.float32)


def score(
    embeddings: NDArray[np.floating], digits: Digits, seed: int, seconds: float = 0.0
) -> Score:
    """Score embeddings by their cosines, as faces are compared."""
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    unit = unit.astype(np.float32)
    recall = recall_at(nearest_of_others(unit, digits.classes), (1,))[1]
    return Score(recall, kmeans_nmi(unit, digits.classes, seed=seed), seconds)


def _pictures(digits: Digits, seed: int) -> Tensor:
    return placed(digits.pictures, torch.Generator().manual_seed(1_000 + seed))


def _metrics(
    network: nn.Module,
    unseen_embeddings: NDArray[np.float32],
    seen: Digits,
    unseen: Digits,
    seed: int,
) -> Iterable[tuple[str, Score]]:
    """Linear metrics, learned on the frozen network's embeddings of the classes it knows."""
    known = embed(network, _pictures(seen, seed))
    known /= np.linalg.norm(known, axis=1, keepdims=True)
    unit = unseen_embeddings / np.linalg.norm(unseen_embeddings, axis=1, keepdims=True)
    for name in METRICS:
        begun = time.perf_counter()
        linear = build_metric(name).fit(known, seen.classes)
        seconds = time.perf_counter() - begun
        yield name, score((unit - known.mean(axis=0)) @ linear.T, unseen, seed, seconds)


def _choose(losses: Sequence[str]) -> None:
    """Train on what is tested on otherwise; by the mean of Recall@1 and NMI, best first."""
    seen, unseen = digits_of(SECOND), digits_of(FIRST)
    for name in losses:
        found = []
        for run in CANDIDATES[name]:
            scores = []
            for seed in range(100, 100 + _CHOOSING_SEEDS):
                network = train(run, seen, seed=seed, steps=STEPS)
                scores.append(score(embed(network, _pictures(unseen, seed)), unseen, seed))
            recall, nmi = mean(s.recall for s in scores), mean(s.nmi for s in scores)
            found.append(((recall + nmi) / 2, recall, nmi, run))
        found.sort(key=lambda row: -row[0])
        for _, recall, nmi, run in found:
            console.print(f"{recall:.3f} {nmi:.3f} {run.loss} {run.miner} {dict(run.options)}")


def _report(scores: dict[str, list[Score]]) -> None:
    table = Table("", "Recall@1", "NMI", "seconds", title="Digits 5 to 9, trained on 0 to 4")
    figures = {}
    for name, of in scores.items():
        recall, nmi = _spread([s.recall for s in of]), _spread([s.nmi for s in of])
        seconds = mean(s.seconds for s in of)
        took = f"{seconds:.1f}" if seconds else ""
        table.add_row(name, "{:.3f} ± {:.3f}".format(*recall), "{:.3f} ± {:.3f}".format(*nmi), took)
        figures[name] = {
            "recall_at_1": recall[0],
            "recall_at_1_spread": recall[1],
            "nmi": nmi[0],
            "nmi_spread": nmi[1],
            "seconds": seconds,
        }
    console.print(table)
    raw = figures[_RAW]
    trained = [figures[name] for name in scores if name in RUNS]
    print_figures(
        "digits",
        {
            "seeds": len(scores[_RAW]),
            "least_gain_recall_at_1": min(of["recall_at_1"] - raw["recall_at_1"] for of in trained),
            "least_gain_nmi": min(of["nmi"] - raw["nmi"] for of in trained),
            "by_loss": figures,
        },
    )


def _spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation over seeds."""
    return mean(values), stdev(values) if len(values) > 1 else 0.0
