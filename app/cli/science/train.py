"""`vultus train`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from app.cli.configuration import load_settings
from app.cli.output import print_json, results
from app.cli.science.train_packages import require_train_packages
from app.cli.science.training_session import RunProgress, cut_crops, is_first, report_table, told
from app.datasets.subject_rule import SubjectRule
from app.recognition.device import resolve_device
from app.settings import Settings
from models.training.config import TrainingConfig, read_config
from models.training.data.crop_store import CropStore, open_store
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

    with RunProgress("train", config.evaluation.metric, _said) as progress:
        return run(
            config,
            store,
            folder,
            weights_dir=settings.resolved_weights_dir,
            device=resolve_device(settings.device),
            watch=progress,
        )


def _said(line: Mapping[str, Any]) -> str:
    loss = "" if line["loss"] is None else f", loss {line['loss']:.4f}"
    return f"epoch {line['epoch']}{loss}"
