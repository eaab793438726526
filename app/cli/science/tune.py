"""`vultus tune`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.cli.configuration import load_settings
from app.cli.output import print_json, results
from app.cli.science.train_packages import require_train_packages
from app.cli.science.training_session import bar, cut_crops, report_table, told
from app.datasets.subject_rule import SubjectRule
from app.recognition.device import resolve_device
from models.training.config import read_config
from models.training.data.crop_store import open_store
from models.training.networks import input_of
from models.training.results.metric_names import METRICS
from models.training.results.run_folder import RunFolder, require_unused
from models.training.tuning.config import TuningConfig


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
        from models.training.tuning.run import tune as run  # noqa: PLC0415

        with _Teller(read.evaluation.metric) as teller:
            report = run(
                read,
                store,
                RunFolder(out),
                weights_dir=settings.resolved_weights_dir,
                device=resolve_device(settings.device),
                watch=teller,
            )
    if as_json:
        print_json(report)
    else:
        results.print(report_table(report))
        results.print(f"{out}", soft_wrap=True)


class _Teller:
    """A progress bar of what is computed and of the steps, and a line an evaluation."""

    def __init__(self, metric: str) -> None:
        self._metric = metric
        self._progress = bar("tuning")

    def __enter__(self) -> "_Teller":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def began(self, *, people: int, photos: int, copies: int, steps: int) -> None:
        self._say(f"{photos} crops of {people} people to tune on")
        self._copies = self._progress.add_task("frozen parts, copies", total=copies)
        self._steps = self._progress.add_task("steps", total=steps)

    def computed(self, copies: int) -> None:
        self._progress.advance(self._copies, copies)

    def stepped(self, loss: float, rate: float) -> None:
        self._progress.update(self._steps, advance=1, description=f"loss {loss:.4f} {rate:.1e}")

    def evaluated(self, line: Mapping[str, Any], *, is_best: bool) -> None:
        value = line.get(self._metric)
        figure = "" if value is None else f": {METRICS[self._metric]} {value:.4f}"
        what = "untouched" if line["step"] == 0 else f"mean, {line['back']:.0%} back"
        self._say(f"{what}{figure}{' (best)' if is_best else ''}")

    def _say(self, text: str) -> None:
        self._progress.console.print(text)
