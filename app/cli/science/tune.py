"""`vultus tune`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.cli.configuration import load_settings
from app.cli.output import print_json, results
from app.cli.science.train_packages import require_train_packages
from app.cli.science.training_session import RunProgress, cut_crops, report_table, told
from app.datasets.subject_rule import SubjectRule
from app.recognition.device import resolve_device
from models.training.config import read_config
from models.training.data.crop_store import open_store
from models.training.networks import input_of
from models.training.results.run_folder import RunFolder, require_unused
from models.training.tuning.tuning_config import TuningConfig


def tune(
    *,
    source: Path,
    out: Path,
    config: Path | None,
    option: list[str] | None,
    faces: SubjectRule | None,
    crops: Path | None,
    as_json: bool,
) -> None:
    """Fine-tune a network on a few thousand photos, in minutes; see docs/tuning.md."""
    require_train_packages("tune")
    settings = load_settings()
    with told():
        read = read_config(TuningConfig, config, option or ())
        require_unused(out)
        store = open_store(cut_crops(source, input_of(read.network), crops, faces))
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Here, because it brings along what trains.
        from models.training.tuning.tune import tune as run  # noqa: PLC0415

        with RunProgress("tune", read.evaluation.metric, _said) as progress:
            report = run(
                read,
                store,
                RunFolder(out),
                weights_dir=settings.resolved_weights_dir,
                device=resolve_device(settings.device),
                watch=progress,
            )
    if as_json:
        print_json(report)
    else:
        results.print(report_table(report))
        results.print(f"{out}", soft_wrap=True)


def _said(line: Mapping[str, Any]) -> str:
    return "untouched" if line["step"] == 0 else f"mean, {line['back']:.0%} back"
