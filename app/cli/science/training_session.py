"""Parts that `vultus train` and `vultus tune` share: crops, progress and the report."""

import asyncio
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from app.cli.output import TextConsole, errors, progress_bar, show, text_column
from app.cli.session import loaded_networks
from app.datasets.crop_cutter import CropCutter, crops_folder
from app.datasets.photo_listing import read_listing
from app.datasets.photo_source import PhotoSource
from app.errors import InvalidRequest
from models.training.data.crop_store import CropStore
from models.training.results.metric_names import METRICS
from models.training.watch import Watch
from models.zoo.network import InputSpec

_MOST_FAILURES = 10


def cut_crops(source: PhotoSource, spec: InputSpec, crops: Path | None) -> Path:
    """Cut the photos that are not cut yet. Returns the folder of the crops.

    `crops`: that folder (default: one in the data folder).
    """
    listing = read_listing(source)
    if not listing.people_known:
        raise InvalidRequest("a list of pairs does not say who is who; list photo,person")
    with loaded_networks() as loaded, _bar("cutting") as progress:
        task = progress.add_task("photos", total=len(listing.photos))
        folder = crops or crops_folder(loaded.settings, spec, listing.subject, source.path)
        cutter = CropCutter(loaded.recognizer, listing.subject, spec, loaded.settings)
        store = asyncio.run(cutter.cut(listing, folder, lambda: progress.advance(task)))
    _print_failures(store)
    return store.folder


def _print_failures(store: CropStore) -> None:
    out = _console()
    for photo, reason in store.failures[:_MOST_FAILURES]:
        out.print(f"left out: {photo} ({reason})")
    if len(store.failures) > _MOST_FAILURES:
        out.print(f"left out: {len(store.failures) - _MOST_FAILURES} more; see store.json")
    out.print(f"{len(store)} crops of {len(store.names)} people")


def show_report(report: Mapping[str, Any], folder: Path, *, as_json: bool) -> None:
    """Print the report of a run, and its folder."""
    best, metric = report["best"], report["config"]["evaluation"]["metric"]
    counts = report["data"]
    table = Table(
        "metric",
        f"chosen by ({counts['choose']['people']} people)",
        f"tested on ({counts['test']['people']} people)",
        "tested on, before",
        title=f"best by {METRICS[metric]}: epoch {best['epoch']}",
        caption=f"{report['seconds']:.0f} s; no person is in two of these groups",
    )
    shown = (best, report["test"], report["test_before"])
    for name in METRICS:
        if any(name in line for line in shown):
            values = (f"{line[name]:.4f}" if line.get(name) is not None else "" for line in shown)
            table.add_row(METRICS[name], *values)
    show(report, table, str(folder), as_json=as_json)


def _bar(text: str) -> Progress:
    return progress_bar(text, text_column("{task.description}"), console=_console())


def _console() -> Console:
    """Return the console; of several processes that `torchrun` started, only one prints."""
    return errors if is_first() else TextConsole(stderr=True, quiet=True)


def is_first() -> bool:
    """Return whether this is the only process, or the first that `torchrun` started."""
    return os.environ.get("RANK", "0") == "0"


class RunProgress(Watch):
    """A bar of what is computed and of the steps, and a line for each evaluation.

    `verb` is `train` or `tune`; `describe` words which evaluation it is.
    """

    def __init__(
        self, verb: str, metric: str, describe: Callable[[Mapping[str, Any]], str]
    ) -> None:
        self._verb = verb
        self._metric = metric
        self._describe = describe
        self._progress = _bar("training" if verb == "train" else "tuning")

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
        description = f"loss {loss:.4f} {rate:.1e}"
        self._progress.update(self._steps, completed=step, description=description)

    def evaluated(self, line: Mapping[str, Any], *, is_best: bool) -> None:
        value = line.get(self._metric)
        figure = "" if value is None else f", {METRICS[self._metric]} {value:.4f}"
        best = " (best)" if is_best else ""
        self._progress.console.print(f"{self._describe(line)}{figure}{best}")
