"""A whole fine-tuning: features, several runs, their mean, and the best way back."""

from collections.abc import Mapping
from copy import deepcopy
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from models.training.data.augment import Augmenter
from models.training.data.crop_store import CropStore
from models.training.data.split import Split, split_people
from models.training.judge import Judge
from models.training.networks import TrainableNetwork, build_network, require_crops_of
from models.training.results.run_folder import RunFolder
from models.training.steps.checkpoint import Progress
from models.training.steps.randomness import repeatable
from models.training.tuning.average import mean_state, moved_back
from models.training.tuning.config import TuningConfig
from models.training.tuning.features import compute_features, divisible
from models.training.tuning.tuner import Tuner

_BATCH = 64


class Watch(Protocol):
    """Whoever follows a fine-tuning."""

    def began(self, *, people: int, photos: int, copies: int, steps: int) -> None:
        """`copies` of photos are to be computed, and then `steps` made."""
        ...

    def computed(self, copies: int) -> None: ...

    def stepped(self, loss: float, rate: float) -> None: ...

    def evaluated(self, line: Mapping[str, Any], *, is_best: bool) -> None: ...


def tune(
    config: TuningConfig,
    store: CropStore,
    folder: RunFolder,
    *,
    weights_dir: Path,
    device: str = "cpu",
    watch: Watch,
    split: Split | None = None,
) -> Mapping[str, Any]:
    """Fine-tune; write the best weights, a log and a report into `folder`, and return the report.

    `split` tells who is tuned on, chosen by and tested on; without, they are drawn.

    Raises TrainingError, or WeightsError where the weights to begin with cannot be had.
    """
    with repeatable(wanted=True, threads=config.threads):
        shared_out = split or split_people(
            store,
            choose=config.data.choose,
            test=config.data.test,
            min_photos=config.data.min_photos,
            seed=config.seed,
        )
        place = torch.device(device)
        return _Tuning(config, store, shared_out, folder, weights_dir, place, watch).run()


class _Tuning:
    def __init__(
        self,
        config: TuningConfig,
        store: CropStore,
        split: Split,
        folder: RunFolder,
        weights_dir: Path,
        device: torch.device,
        watch: Watch,
    ) -> None:
        self._config = config
        self._store = store
        self._folder = folder
        self._weights_dir = weights_dir
        self._device = device
        self._watch = watch
        self._split = split
        self._network = self._build_network()
        self._before = deepcopy(self._network.module.state_dict())
        self._judge = Judge(config, store, split, self._network, folder, device)
        self._progress = Progress()
        self._started = monotonic()

    def run(self) -> Mapping[str, Any]:
        self._evaluate({"epoch": 0, "step": 0, "back": 1.0})
        mean = mean_state(self._states())
        for number, share in enumerate(self._config.back, start=1):
            self._network.module.load_state_dict(moved_back(mean, self._before, share))
            steps = self._config.runs * self._config.steps
            self._evaluate({"epoch": number, "step": steps, "back": share})
        self._progress.seconds = monotonic() - self._started
        return self._judge.finish(self._progress, self._about(), self._weights_dir)

    def _states(self) -> list[Mapping[str, Tensor]]:
        """The weights that each run ends with."""
        numbers = self._split.train
        config = self._config
        people, labels = np.unique(self._store.labels[numbers], return_inverse=True)
        copies = config.data.copies
        self._watch.began(
            people=len(people),
            photos=len(numbers),
            copies=copies * len(numbers),
            steps=config.runs * config.steps,
        )
        file = self._folder.path / "features.npy"
        try:
            features = compute_features(
                self._network,
                config.network.frozen_parts,
                self._store,
                numbers,
                copies=copies,
                augment=Augmenter(config.data.augment, seed=config.seed),
                file=file,
                device=self._device,
                batch_size=_BATCH,
                progress=self._watch.computed,
            )
            tuner = Tuner(self._network, features, labels, config, device=self._device)
            return [self._state_of(tuner, number) for number in range(config.runs)]
        finally:
            file.unlink(missing_ok=True)

    def _state_of(self, tuner: Tuner, number: int) -> Mapping[str, Tensor]:
        self._network.module.load_state_dict(self._before)
        tuner.run(number, self._watch.stepped)
        return deepcopy(self._network.module.state_dict())

    def _evaluate(self, line: Mapping[str, Any]) -> None:
        whole, is_best = self._judge.evaluate(
            self._progress, {**line, "seconds": round(monotonic() - self._started, 3)}
        )
        self._watch.evaluated(whole, is_best=is_best)

    def _build_network(self) -> TrainableNetwork:
        config = self._config
        network = build_network(config.network, weights_dir=self._weights_dir, seed=config.seed)
        divisible(network)
        require_crops_of(network, self._store)
        network.module.to(self._device).to(memory_format=torch.channels_last)  # as it is served
        return network

    def _about(self) -> Mapping[str, Any]:
        return {
            "vultus": version("vultus"),
            "torch": torch.__version__,
            "device": self._device.type,
            "processes": 1,
        }
