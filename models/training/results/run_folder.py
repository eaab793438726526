"""The folder of a run.

run.json               configuration and crops, from which the run can be continued
last.pt                the newest checkpoint
network.safetensors    the best weights so far
log.csv                a line for each evaluation
report.json            configuration, figures and times, written when the run has finished
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.files import write_text_atomically
from models.training.config import NO_FILES, TrainingConfig, config_from
from models.training.errors import RunTakenError, RunUnfinishedError, RunUnusableError

_FORMAT = 1


class RunFolder:
    """The files of a run in the folder `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoint = path / "last.pt"
        self.weights = path / "network.safetensors"
        self.log = path / "log.csv"
        self.report = path / "report.json"

    def write_log(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Write all lines again, so that a continued run has no line twice."""
        columns = list(dict.fromkeys(name for line in history for name in line))
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)
        write_text_atomically(self.log, text.getvalue())

    def write_report(self, report: Mapping[str, Any]) -> None:
        write_text_atomically(self.report, json.dumps({"format": _FORMAT, **report}, indent=1))


@dataclass(frozen=True, slots=True)
class RunSource:
    """The inputs of a run: its configuration, and the folder of its crops."""

    config: TrainingConfig
    crops: Path


def begin_run(path: Path, source: RunSource) -> RunFolder:
    """Make the folder of a run. Raises RunTakenError where it has weights or a report already."""
    require_unused(path)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = {
        "format": _FORMAT,
        "crops": str(source.crops.absolute()),
        "config": _anywhere(source.config).model_dump(mode="json"),
    }
    write_text_atomically(path / "run.json", json.dumps(content, indent=1))
    return RunFolder(path)


def require_unused(path: Path) -> None:
    """Raises RunTakenError where the folder has a checkpoint, weights or a report."""
    run = RunFolder(path)
    if any(file.exists() for file in (run.checkpoint, run.weights, run.report)):
        raise RunTakenError(path)


def open_run(path: Path) -> tuple[RunFolder, RunSource]:
    """The folder and the inputs of a run. Raises RunUnusableError where there is no run."""
    try:
        content = json.loads((path / "run.json").read_text(encoding="utf-8"))
        source = RunSource(config_from(TrainingConfig, content["config"]), Path(content["crops"]))
    except (OSError, ValueError, KeyError) as error:
        raise RunUnusableError(f"{path} holds no run that can be read ({error})") from error
    return RunFolder(path), source


def read_report(path: Path) -> dict[str, Any]:
    """The report of a finished run. Raises RunUnfinishedError, RunUnusableError."""
    try:
        report = json.loads(RunFolder(path).report.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunUnfinishedError(path) from error
    except (OSError, ValueError) as error:
        raise RunUnusableError(f"{path}/report.json cannot be read: {error}") from error
    if not isinstance(report, dict) or report.get("format") != _FORMAT:
        raise RunUnusableError(f"{path}/report.json is not of this version")
    return report


def _anywhere(config: TrainingConfig) -> TrainingConfig:
    """The configuration with the absolute path of its weights, to continue from any folder."""
    weights = Path(config.network.weights)
    if config.network.weights in NO_FILES or not weights.is_file():
        return config
    network = config.network.model_copy(update={"weights": str(weights.absolute())})
    return config.model_copy(update={"network": network})
