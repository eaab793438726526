"""`vultus train`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from app.cli.configuration import load_settings
from app.cli.output import print_json, results
from app.cli.science.train_packages import require_train_packages
from app.cli.science.training_session import bar, cut_crops, is_first, report_table, told
from app.datasets.subject_rule import SubjectRule
from app.recognition.device import resolve_device
from app.settings import Settings
from models.training.config import TrainingConfig, read_config
from models.training.data.crop_store import CropStore, open_store
from models.training.results.metric_names import METRICS
from models.training.results.run_folder import RunFolder, RunSource, begin_run, open_run
from models.zoo.network import InputSpec


def train(
    *,
    source: Path | None,
    out: Path | None,
    resume: Path | None,
    config: Path | None,
    option: list[str] | None,
    network: str | None,
    weights: str | None,
    loss: str | None,
    epochs: int | None,
    seed: int | None,
    faces: SubjectRule | None,
    crops: Path | None,
    as_json: bool,
) -> None:
    """Train an embedding network on photos of people; see docs/training.md."""
    require_train_packages("train")
    settings = load_settings()
    with told():
        if resume is not None:
            others = (source, out, config, network, weights, loss, epochs, seed, faces, crops)
            if option or any(other is not None for other in others):
                raise typer.BadParameter("--resume goes on as the run was begun; give it alone")
            folder, run = open_run(resume)
        else:
            if source is None or out is None:
                raise typer.BadParameter("give photos and --out, or --resume")
            shortcuts = {
                "network.name": network,
                "network.weights": weights,
                "loss.name": loss,
                "epochs": epochs,
                "seed": seed,
            }
            chosen = [f"{name}={value}" for name, value in shortcuts.items() if value is not None]
            read = read_config(TrainingConfig, config, [*(option or ()), *chosen])
            run = RunSource(read, cut_crops(source, _checked(read, out), crops, faces))
            folder = _begun(out, run)
        report = _train(run.config, open_store(run.crops), folder, settings)
    if not report:  # one of the other processes tells
        return
    if as_json:
        print_json(report)
    else:
        results.print(report_table(report))
        results.print(f"{folder.path}", soft_wrap=True)


def _checked(config: TrainingConfig, out: Path) -> InputSpec:
    """The crops that are wanted, after a look at whether the run can begin at all."""
    # Here, because it brings along what trains.
    from models.training.checks import require_possible  # noqa: PLC0415

    return require_possible(config, out)


def _begun(out: Path, run: RunSource) -> RunFolder:
    """The first of several processes begins the run; the others take part in it."""
    return begin_run(out, run) if is_first() else RunFolder(out)


def _train(
    config: TrainingConfig, store: CropStore, folder: RunFolder, settings: Settings
) -> Mapping[str, Any]:
    # Here, because it brings along what trains.
    from models.training.trainer import train as run  # noqa: PLC0415

    with _Teller(config.evaluation.metric) as teller:
        return run(
            config,
            store,
            folder,
            weights_dir=settings.resolved_weights_dir,
            device=resolve_device(settings.device),
            watch=teller,
        )


class _Teller:
    """A progress bar of the steps, and a line an evaluation."""

    def __init__(self, metric: str) -> None:
        self._metric = metric
        self._progress = bar("training")

    def __enter__(self) -> "_Teller":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def began(self, *, step: int, steps: int, people: int, photos: int) -> None:
        self._say(f"{photos} crops of {people} people to train on")
        self._task = self._progress.add_task("", total=steps, completed=step)

    def stepped(self, *, step: int, loss: float, rate: float) -> None:
        self._progress.update(self._task, completed=step, description=f"loss {loss:.4f} {rate:.1e}")

    def evaluated(self, line: Mapping[str, Any], *, is_best: bool) -> None:
        value = line.get(self._metric)
        figure = "" if value is None else f", {METRICS[self._metric]} {value:.4f}"
        loss = "" if line["loss"] is None else f", loss {line['loss']:.4f}"
        self._say(f"epoch {line['epoch']}{loss}{figure}{' (best)' if is_best else ''}")

    def _say(self, text: str) -> None:
        self._progress.console.print(text)
