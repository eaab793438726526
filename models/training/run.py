"""The base of training and fine-tuning: network, evaluations, report."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any

import torch

from models.training.config import RunConfig
from models.training.data.crop_store import CropStore
from models.training.data.split import Split, split_people
from models.training.judge import Judge
from models.training.networks import build_network, require_crops_of
from models.training.results.run_folder import RunFolder
from models.training.steps.checkpoint import Progress
from models.training.watch import Watch


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The inputs of a run beside its configuration; `weights_dir` keeps published weights."""

    store: CropStore
    folder: RunFolder
    weights_dir: Path
    device: torch.device
    watch: Watch | None


class Run:
    """The base of `train` and `tune`. `processes` train the network together."""

    def __init__(
        self,
        config: RunConfig,
        around: Surroundings,
        split: Split | None = None,
        *,
        processes: int = 1,
        synchronised: bool = False,
    ) -> None:
        """`split` are the people trained on, chosen by and tested on; by default, they are drawn.

        `synchronised` joins the statistics of normalisation of all processes. Raises TrainingError,
        or WeightsError where the initial weights cannot be loaded.
        """
        self._around = around
        self._store = around.store
        self._device = around.device
        self._watch = around.watch or Watch()
        self._split = split or split_people(around.store, config.data, seed=config.seed)
        self._network = build_network(
            config.network,
            weights_dir=around.weights_dir,
            seed=config.seed,
            synchronised=synchronised,
        )
        require_crops_of(self._network, around.store)
        # The layout in which networks are served.
        self._network.module.to(around.device).to(memory_format=torch.channels_last)
        self._judge = Judge(
            config, around.store, self._split, self._network, around.folder, around.device
        )
        self._progress = Progress()
        self._processes = processes
        self._clock = monotonic()

    def _seconds(self) -> float:
        return self._progress.seconds + monotonic() - self._clock

    def _evaluate(self, line: Mapping[str, Any]) -> None:
        """Measure the network; `line` has the progress. Raises MetricMissingError."""
        timed = {**line, "seconds": round(self._seconds(), 3)}
        whole, is_best = self._judge.evaluate(self._progress, timed)
        self._watch.evaluated(whole, is_best=is_best)

    def _stepped(self, loss: float, rate: float) -> None:
        self._progress.step += 1
        self._watch.stepped(step=self._progress.step, loss=loss, rate=rate)

    def _finish(self) -> Mapping[str, Any]:
        """Write the report, and return it."""
        about = {
            "vultus": version("vultus"),
            "torch": torch.__version__,
            "device": self._device.type,
            "processes": self._processes,
        }
        return self._judge.finish(self._progress, about, self._around.weights_dir)
