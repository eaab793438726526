"""What a run leaves behind, in a folder of its own.

run.json               configuration, crops and network: what it takes to go on
last.pt                the newest checkpoint
network.safetensors    the best weights so far
log.csv                a line an evaluation
report.json            configuration, figures and times; it is there when the run has finished
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


@dataclass(frozen=True, slots=True)
class RunFolder:
    path: Path

    @property
    def checkpoint(self) -> Path:
        return self.path / "last.pt"

    @property
    def weights(self) -> Path:
        return self.path / "network.safetensors"

    @property
    def log(self) -> Path:
        return self.path / "log.csv"

    @property
    def report(self) -> Path:
        return self.path / "report.json"

    def write_log(self, history: Sequence[Mapping[str, Any]]) -> None:
        """All lines anew: those of a run that was cut off are not written twice."""
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
    """What a run was begun with: its configuration, and the folder of its crops."""

    config: TrainingConfig
    crops: Path


def begin_run(path: Path, source: RunSource) -> RunFolder:
    """Raises RunTakenError where another run has come as far as its first weights."""
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
    """Raises RunTakenError where there is anything of a run that took time to make."""
    run = RunFolder(path)
    if any(file.exists() for file in (run.checkpoint, run.weights, run.report)):
        raise RunTakenError(path)


def open_run(path: Path) -> tuple[RunFolder, RunSource]:
    """Raises RunUnusableError where there is none."""
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
    """With the path of its weights in full: a run may be gone on with from another folder."""
    weights = Path(config.network.weights)
    if config.network.weights in NO_FILES or not weights.is_file():
        return config
    network = config.network.model_copy(update={"weights": str(weights.absolute())})
    return config.model_copy(update={"network": network})
