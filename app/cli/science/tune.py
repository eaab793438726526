"""`vultus tune`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.cli.configuration import load_settings
from app.cli.library_errors import library_errors
from app.cli.science.train_packages import require_train_packages
from app.cli.science.training_session import RunProgress, cut_crops, show_report
from app.datasets.photo_source import PhotoSource
from app.recognition.device import resolve_device
from models.training.config import read_config
from models.training.data.crop_store import open_store
from models.training.networks import input_of
from models.training.results.run_folder import RunFolder, require_unused
from models.training.tuning.tuning_config import TuningConfig


def tune(
    source: PhotoSource,
    out: Path,
    config: Path | None,
    changes: Sequence[str],
    *,
    crops: Path | None,
    as_json: bool,
) -> None:
    """Fine-tune a network. `changes` are `group.option=value`, over the file `config`."""
    require_train_packages("tune")
    settings = load_settings()
    with library_errors():
        read = read_config(TuningConfig, config, changes)
        require_unused(out)
        store = open_store(cut_crops(source, input_of(read.network), crops))
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Imported here, because it imports all that trains.
        from models.training.tuning.tune import tune as run  # noqa: PLC0415

        with RunProgress("tune", read.evaluation.metric, _described) as progress:
            report = run(
                read,
                store,
                RunFolder(out),
                weights_dir=settings.resolved_weights_dir,
                device=resolve_device(settings.device),
                watch=progress,
            )
    show_report(report, out, as_json=as_json)


def _described(line: Mapping[str, Any]) -> str:
    return "untouched" if line["step"] == 0 else f"mean, {line['back']:.0%} back"
