"""Fine-tune a network on some of LFW's people, and report on others that it never saw.

    python -m benchmarks finetune --faces FOLDER [--out RUN] [--crops FOLDER] [--choose] [--quick]
        [--set network.name=sface ...]

Seven tenths of the people are tuned on, and the rest are reported on: all pairs of their photos,
with intervals that draw people, not pairs. What was chosen (docs/tuning.md) was chosen among the
seven tenths, as `--choose` does: two sevenths of them choose, the others are tuned on. Mahalanobis
and LMNN, learned on the embeddings of the network as it is, are measured by the same protocol. The
run stays in `--out`; `scripts/make_vultus_resnet.py` takes it for the card of `vultus-resnet`.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import Progress

from benchmarks.kit.lfw_data import lfw_data
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from benchmarks.training.finetune_data import lfw_crops, share_out
from benchmarks.training.finetune_metrics import Learned, Part, learn_metrics
from benchmarks.training.finetune_pairs import (
    FMRS,
    SMOKE_FMRS,
    Gain,
    Measured,
    gain,
    in_points,
    measure,
)
from models.training.config import config_from, read_config
from models.training.data.crop_store import CropStore
from models.training.networks import TrainableNetwork, build_network, input_of
from models.training.results.measure import embed
from models.training.results.run_folder import RunFolder, require_unused
from models.training.tuning.tune import tune
from models.training.tuning.tuning_config import TuningConfig
from models.training.watch import Watch
from models.zoo.weights.module_weights import fill
from models.zoo.weights.weights_file import read_weights

_BACK = 0.25
_TRIED_BACK = (0.0, 0.25, 0.5)
_QUICK = ("runs=1", "steps=20", "data.copies=3")
_SMOKE = (
    *("runs=1", "steps=1", "threads=1", "loss.bank_copies=1"),
    *("data.copies=2", "data.groups=1", "data.people=2"),
)


def main() -> None:
    parser = benchmark_parser(__doc__, quick="as --choose, one short run")
    parser.add_argument("--faces", type=Path, help="folder with images/, pairs.csv")
    parser.add_argument("--out", type=Path, help="folder of the run (else a temporary one)")
    parser.add_argument("--crops", type=Path, help="where crops are kept (else a temporary one)")
    parser.add_argument("--choose", action="store_true", help="among those who are tuned on")
    parser.add_argument("--set", action="append", default=[], help="an option of vultus tune")
    options = parse_options(parser, needs_faces=True)
    data = lfw_data(parser, options.faces)
    print_machine()
    with TemporaryDirectory() as scratch:
        run = options.out or Path(scratch) / "run"
        require_unused(run)
        run.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Of the few people of --smoke, those to choose by would be too few to report on.
        choosing = (options.choose or options.quick) and not options.smoke
        config = _configuration(options, choosing=choosing)
        crops = options.crops or Path(scratch) / "crops"
        store = lfw_crops(data, crops, input_of(config.network))
        _report(config, store, RunFolder(run), choosing=choosing, options=options)


def _configuration(options: argparse.Namespace, *, choosing: bool) -> TuningConfig:
    """The defaults, the way back chosen at the rate that is reported, and `--set`."""
    smoke = _SMOKE if options.smoke else ()
    preset = (
        "evaluation.nmi=false",
        f"evaluation.metric={'auc' if options.smoke else 'tar_at_fmr.1e-4'}",
        f"back={list(_TRIED_BACK) if choosing else [_BACK]}",
        *(_QUICK if options.quick and not options.smoke else smoke),
    )
    return read_config(TuningConfig, None, [*preset, *options.set])


def configuration(changes: Mapping[str, Any]) -> TuningConfig:
    """The defaults with changes, and the way back chosen at the rate that is reported."""
    evaluation = {"metric": "tar_at_fmr.1e-4", "nmi": False}
    return config_from(TuningConfig, {"evaluation": evaluation, **changes})


def _report(
    config: TuningConfig,
    store: CropStore,
    run: RunFolder,
    *,
    choosing: bool,
    options: argparse.Namespace,
) -> None:
    split = share_out(store, choosing=choosing)
    fmrs = SMOKE_FMRS if options.smoke else FMRS
    quick = options.quick
    fmr = fmrs[1]  # the one that is reported
    with Watcher() as watcher:
        report = tune(
            config, store, run, weights_dir=run.path, device="cpu", split=split, watch=watcher
        )
    network = build_network(config.network, weights_dir=run.path, seed=config.seed)
    among = share_out(store, choosing=True)  # to choose the options of the linear metrics
    mirrored = config.network.mirror_average
    before = [
        _part(network, store, numbers, mirrored=mirrored)
        for numbers in (among.train, among.choose, split.test)
    ]
    fill(network.module, read_weights(run.weights).state, config.network.name)
    after = _part(network, store, split.test, mirrored=mirrored)
    base = measure(before[2].rows, before[2].people, fmrs=fmrs)
    tuned = measure(after.rows, after.people, fmrs=fmrs)
    metrics = learn_metrics(before[0], before[1], before[2], fmrs=fmrs, quick=quick)
    gains = {one: gain(tuned, base, one) for one in fmrs}
    _print(report, base, tuned, gains, metrics, fmr=fmr)


def _part(
    network: TrainableNetwork, store: CropStore, numbers: NDArray[np.int64], *, mirrored: bool
) -> Part:
    rows = embed(
        network.module,
        store,
        numbers,
        network.recipe.input,
        mirror_average=mirrored,
        device=torch.device("cpu"),
        batch_size=128,
    )
    return Part(rows, np.unique(store.labels[numbers], return_inverse=True)[1])


def _print(
    report: Mapping[str, Any],
    base: Measured,
    tuned: Measured,
    gains: Mapping[float, Gain],
    metrics: Mapping[str, Learned],
    *,
    fmr: float,
) -> None:
    data, best = report["data"], report["best"]
    rows = [
        ("people tuned on, chosen by, reported on", ", ".join(_counts(data, "people"))),
        ("their photos", ", ".join(_counts(data, "photos"))),
        *(
            (f"{line['back']:.0%} back, TAR at FMR 1e-4", f"{line['tar_at_fmr.1e-4']:.4f}")
            for line in report["history"]
            if "tar_at_fmr.1e-4" in line
        ),
        ("taken", f"{best['back']:.0%} back"),
        ("tuned in", f"{report['seconds']:.0f} s, evaluations included"),
    ]
    for rate, one in gains.items():
        rows.append(
            (
                f"TAR at FMR {rate:.0e}, before and after",
                f"{base.tar[rate]:.4f}, {tuned.tar[rate]:.4f}: {in_points(one)}",
            )
        )
    for name, learned in metrics.items():
        tars = ", ".join(f"{learned.measured.tar[rate]:.4f}" for rate in gains)
        rows.append((f"{name} on the network as it is, {dict(learned.options)}", tars))
    print_table("Fine-tuning on LFW", rows)
    print_figures(
        "finetune",
        {
            "tar_base": base.tar[fmr],
            "tar_tuned": tuned.tar[fmr],
            "p_value": gains[fmr].p_value,
            "gain_interval": (gains[fmr].low, gains[fmr].high),
            "tar_at_fmr_base": _named(base.tar),
            "tar_at_fmr_tuned": _named(tuned.tar),
            "gains": {f"{rate:.0e}": (g.value, g.low, g.high) for rate, g in gains.items()},
            "metrics": {name: _named(one.measured.tar) for name, one in metrics.items()},
            "metrics_p_values": {
                name: gain(one.measured, base, fmr).p_value for name, one in metrics.items()
            },
            "back": best["back"],
            "seconds": report["seconds"],
            "data": data,
        },
    )


def _counts(data: Mapping[str, Any], what: str) -> Sequence[str]:
    return [f"{data[part][what]:,}" for part in ("train", "choose", "test")]


def _named(by_fmr: Mapping[float, float]) -> dict[str, float]:
    return {f"{fmr:.0e}": value for fmr, value in by_fmr.items()}


class Watcher(Watch):
    """A progress bar, on standard output where it is a terminal."""

    def __init__(self) -> None:
        self._progress = Progress(console=console, transient=True)

    def __enter__(self) -> "Watcher":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def began(self, *, step: int, steps: int, people: int, photos: int, copies: int) -> None:
        self._progress.console.print(f"tuning on {photos:,} photos of {people:,} people")
        self._copies = self._progress.add_task("frozen parts", total=copies)
        self._steps = self._progress.add_task("steps", total=steps, completed=step)

    def computed(self, copies: int) -> None:
        self._progress.advance(self._copies, copies)

    def stepped(self, *, step: int, loss: float, rate: float) -> None:
        self._progress.update(
            self._steps, completed=step, description=f"loss {loss:.4f} {rate:.1e}"
        )

    def evaluated(self, line: Mapping[str, Any], *, is_best: bool) -> None:
        tar = line.get("tar_at_fmr.1e-4", float("nan"))
        self._progress.console.print(
            f"step {line['step']}, {line['back']:.0%} back: TAR at FMR 1e-4 {tar:.4f}"
            f"{' (best)' if is_best else ''}, {line['seconds']:.0f} s"
        )
