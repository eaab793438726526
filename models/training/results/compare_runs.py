"""Runs side by side: what differs between them, and what each reached."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.training.results.metric_names import METRICS
from models.training.results.run_folder import read_report


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """`choices` are the options that differ between the runs; `choose` and `test` are figures of
    the best weights, on the people that they were chosen by and on those only tested."""

    name: str
    choices: Mapping[str, Any]
    choose: Mapping[str, float]
    test: Mapping[str, float]
    epoch: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """`same_people`: all runs were measured on the same photos of the same people, so that their
    figures can be compared."""

    runs: tuple[ComparedRun, ...]
    same_people: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "same_people": self.same_people,
            "runs": {
                run.name: {
                    "choices": run.choices,
                    "choose": run.choose,
                    "test": run.test,
                    "epoch": run.epoch,
                    "seconds": run.seconds,
                }
                for run in self.runs
            },
        }


def compare_runs(paths: Sequence[Path]) -> Comparison:
    """Raises RunUnusableError where one has not finished."""
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
    """What decides who is in which share, and how many of them are measured."""
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
