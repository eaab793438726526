"""The base of a training and of a fine-tuning: network, evaluations, report."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import torch

from models.training.config import RunConfig
from models.training.data.crop_store import CropStore
from models.training.data.split import Split, split_people
from models.training.judge import Judge
from models.training.networks import build_network, require_crops_of
from models.training.results.run_folder import RunFolder
from models.training.steps.checkpoint import Progress


class Watch(Protocol):
    """What follows a run."""

    def began(self, *, step: int, steps: int, people: int, photos: int, copies: int) -> None:
        """The run goes on from `step`. `copies` of photos are computed before, in fine-tuning."""

    def computed(self, copies: int) -> None:
        """So many more copies were computed."""

    def stepped(self, *, step: int, loss: float, rate: float) -> None:
        """`step` steps were made; the loss and the network's learning rate of the last."""

    def evaluated(self, line: Mapping[str, Any], *, is_best: bool) -> None:
        """The figures of an evaluation, as in the log."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a run works with, beside its configuration.

    `weights_dir` keeps published weights; `watch` follows the run.
    """

    store: CropStore
    folder: RunFolder
    weights_dir: Path
    device: torch.device
    watch: Watch | None


class Run:
    """`processes` train the network together; `synchronised` joins their statistics."""

    def __init__(
        self,
        config: RunConfig,
        around: Surroundings,
        split: Split | None = None,
        *,
        processes: int = 1,
        synchronised: bool = False,
    ) -> None:
        """`split` says who is trained on, chosen by and tested on; without, they are drawn.

        Raises TrainingError, or WeightsError where the weights to begin with cannot be had.
        """
        self._store = around.store
        self._folder = around.folder
        self._device = around.device
        self._watch = around.watch
        self._split = split or split_people(
            around.store,
            choose=config.data.choose,
            test=config.data.test,
            min_photos=config.data.min_photos,
            seed=config.seed,
        )
        self._network = build_network(
            config.network,
            weights_dir=around.weights_dir,
            seed=config.seed,
            synchronised=synchronised,
        )
        require_crops_of(self._network, around.store)
        # As it is served.
        self._network.module.to(around.device).to(memory_format=torch.channels_last)
        self._judge = Judge(
            config, around.store, self._split, self._network, around.folder, around.device
        )
        self._progress = Progress()
        self._weights_dir = around.weights_dir
        self._processes = processes
        self._clock = monotonic()

    def _seconds(self) -> float:
        return self._progress.seconds + monotonic() - self._clock

    def _evaluate(self, line: Mapping[str, Any]) -> None:
        """Measure the network as it is; `line` says where the run stands. Raises
        MetricMissingError."""
        timed = {**line, "seconds": round(self._seconds(), 3)}
        whole, is_best = self._judge.evaluate(self._progress, timed)
        if self._watch is not None:
            self._watch.evaluated(whole, is_best=is_best)

    def _finish(self) -> Mapping[str, Any]:
        """Write the report, and return it."""
        about = {
            "vultus": version("vultus"),
            "torch": torch.__version__,
            "device": self._device.type,
            "processes": self._processes,
        }
        return self._judge.finish(self._progress, about, self._weights_dir)
