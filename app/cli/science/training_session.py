"""What `vultus train` and `vultus tune` have in common: crops, progress, and what they tell."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from app.cli.output import TextConsole, errors, progress_bar, text_column
from app.cli.science.embed_photos import rule_for
from app.cli.session import with_recognizer
from app.datasets.crop_cutter import CropCutter, crops_folder
from app.datasets.photo_listing import PhotoListing, read_listing
from app.datasets.subject_rule import SubjectRule
from app.errors import InvalidRequest, StartupError
from app.recognition.pipeline import Recognizer
from app.settings import Settings
from models.training.data.crop_store import CropStore
from models.training.errors import (
    CropsCutOtherwiseError,
    RunTakenError,
    RunUnfinishedError,
    TrainingError,
)
from models.training.results.metric_names import METRICS
from models.zoo.errors import NameTakenError, WeightsError
from models.zoo.network import InputSpec, Network

_TOLD_FAILURES = 10

_REMEDIES: Mapping[type[TrainingError], str] = {
    RunTakenError: "go on with it by --resume {path}, or name another folder",
    RunUnfinishedError: "finish it with vultus train --resume {path}",
    CropsCutOtherwiseError: "name another folder with --crops, or delete it",
}


def cut_crops(source: Path, spec: InputSpec, crops: Path | None, faces: SubjectRule | None) -> Path:
    """Cut the photos that are not cut yet; return the folder of the crops."""
    listing = read_listing(source)
    if not listing.people_known:
        raise InvalidRequest("a list of pairs does not tell who is who; list photo,person")
    rule = rule_for(listing, faces)

    async def use(settings: Settings, _: Network, recognizer: Recognizer) -> CropStore:
        folder = crops or crops_folder(settings, spec, rule, source)
        return await _cut_all(listing, CropCutter(recognizer, rule, spec, settings), folder)

    store = with_recognizer(use)
    _tell_failures(store)
    return store.folder


async def _cut_all(listing: PhotoListing, cutter: CropCutter, folder: Path) -> CropStore:
    with bar("cutting") as progress:
        task = progress.add_task("photos", total=len(listing.photos))
        return await cutter.cut(listing, folder, lambda: progress.advance(task))


def _tell_failures(store: CropStore) -> None:
    out = console()
    for photo, reason in store.failures[:_TOLD_FAILURES]:
        out.print(f"left out: {photo} ({reason})")
    if len(store.failures) > _TOLD_FAILURES:
        out.print(f"left out: {len(store.failures) - _TOLD_FAILURES} more; see store.json")
    out.print(f"{len(store)} crops of {len(store.names)} people")


def report_table(report: Mapping[str, Any]) -> Table:
    best, metric = report["best"], report["config"]["evaluation"]["metric"]
    counts = report["data"]
    table = Table(
        "metric",
        f"chosen by ({counts['choose']['people']} people)",
        f"tested on ({counts['test']['people']} people)",
        "tested on, before",
        title=f"best by {METRICS[metric]}: epoch {best['epoch']}",
        caption=f"{report['seconds']:.0f} s; nobody is in two of these groups",
    )
    shown = (best, report["test"], report["test_before"])
    for name in METRICS:
        if any(name in line for line in shown):
            table.add_row(METRICS[name], *(_figure(line.get(name)) for line in shown))
    return table


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


@contextmanager
def told() -> Iterator[None]:
    """Report errors of training as other commands report theirs, with the remedy."""
    try:
        yield
    except (RunTakenError, RunUnfinishedError, CropsCutOtherwiseError) as error:
        remedy = _REMEDIES[type(error)].format(**vars(error))
        raise InvalidRequest(f"{error}; {remedy}") from error
    except (TrainingError, NameTakenError) as error:
        raise InvalidRequest(str(error)) from error
    except WeightsError as error:
        raise StartupError(str(error)) from error


def bar(text: str) -> Progress:
    return progress_bar(text, text_column("{task.description}"), console=console())


def console() -> Console:
    """Of several processes that `torchrun` started, one speaks."""
    return errors if is_first() else TextConsole(stderr=True, quiet=True)


def is_first() -> bool:
    return os.environ.get("RANK", "0") == "0"


class RunProgress:
    """A bar of what is computed and of the steps, and a line an evaluation.

    `verb` is `train` or `tune`; `said` words where an evaluation stands.
    """

    def __init__(self, verb: str, metric: str, said: Callable[[Mapping[str, Any]], str]) -> None:
        self._verb = verb
        self._metric = metric
        self._said = said
        self._progress = bar("training" if verb == "train" else "tuning")

    def __enter__(self) -> "RunProgress":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def began(self, *, step: int, steps: int, people: int, photos: int, copies: int) -> None:
        self._progress.console.print(f"{photos} crops of {people} people to {self._verb} on")
        if copies:
            self._copies = self._progress.add_task("frozen parts, copies", total=copies)
        self._steps = self._progress.add_task("steps", total=steps, completed=step)

    def computed(self, copies: int) -> None:
        self._progress.advance(self._copies, copies)

    def stepped(self, *, step: int, loss: float, rate: float) -> None:
        described = f"loss {loss:.4f} {rate:.1e}"
        self._progress.update(self._steps, completed=step, description=described)

    def evaluated(self, line: Mapping[str, Any], *, is_best: bool) -> None:
        value = line.get(self._metric)
        figure = "" if value is None else f", {METRICS[self._metric]} {value:.4f}"
        best = " (best)" if is_best else ""
        self._progress.console.print(f"{self._said(line)}{figure}{best}")
