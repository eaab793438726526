"""Fine-tune once for each fold of LFW's people, who are reported on by a network new to them.

    python -m benchmarks finetune_folds --faces FOLDER [--crops FOLDER] [--folds 5] [--device cuda]
        [--choose] [--set steps=320 ...] [--quick]

`finetune` reports on three tenths of the people, and few pairs of strangers decide there. Here each
fold is reported on by a network that was tuned on all others, and the pairs within folds count
together, at one threshold: three times as many people, at as many times the work. `--choose` leaves
out whom `finetune` reports on, as is right where anything is to be chosen by the figures.

TAR is reported twice: over all pairs, where people of many photos count most, and as a mean over
people. With `--crops` alone, crops are taken that were cut before.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.kit.lfw_data import lfw_data
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import print_figures, print_machine, print_table
from benchmarks.training.finetune_data import lfw_crops, share_out
from benchmarks.training.finetune_pairs import (
    FMRS,
    SMOKE_FMRS,
    Measured,
    People,
    Rows,
    gain,
    in_points,
    measure,
    over_people,
)
from models.evaluation.statistics.scores import Comparisons, compare_all
from models.training.config import read_config
from models.training.data.augment import Augmenter
from models.training.data.crop_store import CropStore, open_store
from models.training.networks import build_network, input_of
from models.training.results.measure import embed
from models.training.steps.randomness import repeatable
from models.training.tuning.average import State, mean_state, moved_back
from models.training.tuning.features import Features, compute_features
from models.training.tuning.tuner import Tuner
from models.training.tuning.tuning_config import TuningConfig

_DRAW = 5678  # another than that of `finetune`, which draws the people of these folds
_QUICK = ("runs=1", "steps=20", "data.copies=3")
_SMOKE = (
    *("runs=1", "steps=1", "threads=1", "back=[0.25]", "loss.bank_copies=1"),
    *("data.copies=2", "data.groups=1", "data.people=2"),
)
_BATCH = 128


@dataclass(frozen=True, slots=True)
class Folds:
    """Numbers of photos in the store, and the person and the fold of each, from 0 on."""

    numbers: NDArray[np.int64]
    people: People
    folds: NDArray[np.intp]

    @property
    def count(self) -> int:
        return len(np.unique(self.folds))

    def compare(self, rows: Rows, people: People) -> Iterator[Comparisons]:
        """Every pair of photos within a fold."""
        for fold in np.unique(self.folds):
            at = np.flatnonzero(self.folds == fold)
            yield from compare_all(rows[at], people[at])


def main() -> None:
    parser = benchmark_parser(__doc__, quick="three folds, one short run each")
    parser.add_argument("--faces", type=Path, help="folder with images/, pairs.csv")
    parser.add_argument("--crops", type=Path, help="where crops are kept (else a temporary one)")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--choose", action="store_true", help="among those whom finetune tunes on")
    parser.add_argument("--set", action="append", default=[], help="an option of vultus tune")
    options = parse_options(parser)
    if options.faces is None and options.crops is None:
        parser.error("--faces or --crops is needed")
    print_machine()
    short = _SMOKE if options.smoke else _QUICK if options.quick else ()
    config = read_config(TuningConfig, None, [*short, *options.set])
    fmrs = SMOKE_FMRS if options.smoke else FMRS
    with TemporaryDirectory() as scratch:
        crops = options.crops or Path(scratch) / "crops"
        store = (
            open_store(crops)
            if options.faces is None
            else lfw_crops(lfw_data(parser, options.faces), crops, input_of(config.network))
        )
        folds = _folds(
            store,
            2 if options.smoke else 3 if options.quick else options.folds,
            choose=options.choose,
        )
        with repeatable(wanted=True, threads=config.threads):
            run = _Run(config, store, folds, torch.device(options.device), Path(scratch))
            run.report(options.set, fmrs)


def _folds(store: CropStore, count: int, *, choose: bool) -> Folds:
    numbers = share_out(store, choosing=False).train if choose else np.arange(len(store))
    people = np.unique(store.labels[numbers], return_inverse=True)[1]
    order = np.random.default_rng(_DRAW).permutation(people.max() + 1)
    return Folds(numbers, people, order[people] % count)


class _Run:
    def __init__(
        self,
        config: TuningConfig,
        store: CropStore,
        folds: Folds,
        device: torch.device,
        scratch: Path,
    ) -> None:
        self._config = config
        self._store = store
        self._folds = folds
        self._device = device
        self._network = build_network(config.network, weights_dir=scratch, seed=config.seed)
        self._network.module.to(device).to(memory_format=torch.channels_last)
        self._before = deepcopy(self._network.module.state_dict())
        begun = time.perf_counter()
        self._features = self._compute(scratch / "features.npy")
        self._features_s = time.perf_counter() - begun

    def report(self, changed: Sequence[str], fmrs: Sequence[float]) -> None:
        base = self._embed(self._folds.numbers)
        tuned = {share: np.empty_like(base) for share in self._config.back}
        begun = time.perf_counter()
        for fold in np.unique(self._folds.folds):
            mean = self._tuned(self._folds.folds != fold)
            unseen = self._folds.folds == fold
            for share, rows in tuned.items():
                self._network.module.load_state_dict(moved_back(mean, self._before, share))
                rows[unseen] = self._embed(self._folds.numbers[unseen])
        seconds = time.perf_counter() - begun
        _print(self._folds, base, tuned, seconds, self._features_s, changed, fmrs)

    def _tuned(self, seen: NDArray[np.bool_]) -> State:
        """The mean of the runs on these photos."""
        people = np.unique(self._folds.people[seen], return_inverse=True)[1]
        features = self._features[:, seen]
        tuner = Tuner(self._network, features, people, self._config, device=self._device)
        states = []
        for number in range(self._config.runs):
            self._network.module.load_state_dict(self._before)
            tuner.run(number, lambda *_: None)
            states.append(deepcopy(self._network.module.state_dict()))
        return mean_state(states)

    def _compute(self, file: Path) -> Features:
        """Features of all people, as the frozen parts are not trained on any of them."""
        return compute_features(
            self._network,
            self._config.network.frozen_parts,
            self._store,
            self._folds.numbers,
            copies=self._config.data.copies,
            augment=Augmenter(self._config.data.augment, seed=self._config.seed),
            file=file,
            device=self._device,
            batch_size=_BATCH,
            progress=lambda _: None,
        )

    def _embed(self, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
        return embed(
            self._network.module,
            self._store,
            numbers,
            self._network.recipe.input,
            mirror_average=self._config.network.mirror_average,
            device=self._device,
            batch_size=_BATCH,
        )


def _print(
    folds: Folds,
    base: Rows,
    tuned: Mapping[float, Rows],
    seconds: float,
    features_s: float,
    changed: Sequence[str],
    fmrs: Sequence[float],
) -> None:
    def measured(rows: Rows) -> Measured:
        return measure(rows, folds.people, folds.compare, every_pair=False, fmrs=fmrs)

    def by_person(rows: Rows) -> list[float]:
        return [over_people(rows, folds.people, folds.compare, fmr) for fmr in fmrs]

    before, before_by_person = measured(base), by_person(base)
    table = [
        ("changed", ", ".join(changed) or "nothing"),
        (
            "people, photos, folds",
            f"{folds.people.max() + 1:,}, {len(folds.people):,}, {folds.count}",
        ),
        ("frozen parts, tuning of all folds", f"{features_s:.0f} s, {seconds:.0f} s"),
    ]
    figures: dict[str, Any] = {"changed": changed, "seconds": seconds, "features_s": features_s}
    for share, rows in tuned.items():
        after, after_by_person = measured(rows), by_person(rows)
        gains = {fmr: gain(after, before, fmr) for fmr in fmrs}
        for number, fmr in enumerate(fmrs):
            people = after_by_person[number] - before_by_person[number]
            table.append(
                (
                    f"{share:.0%} back, TAR at FMR {fmr:.0e}",
                    f"{before.tar[fmr]:.4f}, {after.tar[fmr]:.4f}: {in_points(gains[fmr])}",
                )
            )
            table.append(
                (
                    "   over people",
                    f"{before_by_person[number]:.4f}: {100 * people:+.1f} points",
                )
            )
        figures[f"back_{share:g}"] = {
            f"{fmr:.0e}": {
                "tar_base": before.tar[fmr],
                "tar_tuned": after.tar[fmr],
                "gain_interval": (gains[fmr].low, gains[fmr].high),
                "p_value": gains[fmr].p_value,
                "over_people_base": before_by_person[number],
                "over_people_tuned": after_by_person[number],
            }
            for number, fmr in enumerate(fmrs)
        }
    print_table("Fine-tuning on LFW, each fold by a network that never saw it", table)
    print_figures("finetune_folds", figures)
