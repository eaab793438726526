"""Comparison of runs: their different options, and their figures."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from models.training.results.metric_names import METRICS
from models.training.results.run_folder import read_report


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """`choices` are the options that differ between runs. `choose` and `test` are figures of the
    best weights, on the people to choose by and on those to test on."""

    name: str
    choices: Mapping[str, Any]
    choose: Mapping[str, float]
    test: Mapping[str, float]
    epoch: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """`same_people`: all runs were measured on the same photos of the same people. Only then can
    their figures be compared."""

    runs: tuple[ComparedRun, ...]
    same_people: bool

    def to_json(self) -> dict[str, Any]:
        runs = {run.name: asdict(run) for run in self.runs}
        for run in runs.values():
            del run["name"]
        return {"same_people": self.same_people, "runs": runs}


def compare_runs(paths: Sequence[Path]) -> Comparison:
    """Compare finished runs. Raises RunUnusableError for a run that has not finished."""
    reports = [read_report(path) for path in paths]
    options = [dict(_flat(report["config"])) for report in reports]
    names = list(dict.fromkeys(name for chosen in options for name in chosen))
    differ = [name for name in names if len({repr(chosen.get(name)) for chosen in options}) > 1]
    return Comparison(
        runs=tuple(
            ComparedRun(
                name=path.name,
                choices={name: chosen.get(name) for name in differ},
                choose=_figures(report["best"]),
                test=_figures(report["test"]),
                epoch=report["best"]["epoch"],
                seconds=report["seconds"],
            )
            for path, report, chosen in zip(paths, reports, options, strict=True)
        ),
        same_people=len({_measured_on(report) for report in reports}) == 1,
    )


def _measured_on(report: Mapping[str, Any]) -> str:
    """The options that determine the people of each share, and the measured photos."""
    config = report["config"]
    return repr(
        (
            report["data"]["digest"],
            config["seed"],
            config["data"]["choose"],
            config["data"]["test"],
            config["evaluation"]["max_photos"],
        )
    )


def _figures(line: Mapping[str, Any]) -> dict[str, float]:
    return {name: line[name] for name in METRICS if name in line}


def _flat(group: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in group.items():
        if isinstance(value, dict):
            found += _flat(value, f"{prefix}{name}.")
        else:
            found.append((f"{prefix}{name}", value))
    return found
