"""`vultus train`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.cli.configuration import load_settings
from app.cli.library_errors import library_errors
from app.cli.science.train_packages import require_train_packages
from app.cli.science.training_session import RunProgress, cut_crops, is_first, show_report
from app.datasets.photo_source import PhotoSource
from app.recognition.device import resolve_device
from models.training.config import TrainingConfig, read_config
from models.training.data.crop_store import open_store
from models.training.results.run_folder import RunFolder, RunSource, begin_run, open_run


def train(
    source: PhotoSource,
    out: Path,
    config: Path | None,
    changes: Sequence[str],
    *,
    crops: Path | None,
    as_json: bool,
) -> None:
    """Train a network in a new run. `changes` are `group.option=value`, over the file `config`."""
    require_train_packages("train")
    # Imported here, because it imports all that trains.
    from models.training.trainer import require_possible  # noqa: PLC0415

    with library_errors():
        read = read_config(TrainingConfig, config, changes)
        spec = require_possible(read, out)
        run = RunSource(read, cut_crops(source, spec, crops))
        # The first of several processes begins the run; the others take part in it.
        folder = begin_run(out, run) if is_first() else RunFolder(out)
    _train(folder, run, as_json=as_json)


def resume(path: Path, *, as_json: bool) -> None:
    """Continue a run."""
    require_train_packages("train")
    with library_errors():
        folder, run = open_run(path)
    _train(folder, run, as_json=as_json)


def _train(folder: RunFolder, run: RunSource, *, as_json: bool) -> None:
    from models.training.trainer import train  # noqa: PLC0415  (as above)

    settings = load_settings()
    with (
        library_errors(),
        RunProgress("train", run.config.evaluation.metric, _described) as progress,
    ):
        report = train(
            run.config,
            open_store(run.crops),
            folder,
            weights_dir=settings.resolved_weights_dir,
            device=resolve_device(settings.device),
            watch=progress,
        )
    if report:  # of several processes, only one has it
        show_report(report, folder.path, as_json=as_json)


def _described(line: Mapping[str, Any]) -> str:
    loss = "" if line["loss"] is None else f", loss {line['loss']:.4f}"
    return f"epoch {line['epoch']}{loss}"
