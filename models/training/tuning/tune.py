"""Fine-tuning: features, several runs, their mean, and how far it is moved back."""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.training.data.augment import Augmenter
from models.training.data.crop_store import CropStore
from models.training.data.split import Split
from models.training.results.run_folder import RunFolder
from models.training.run import Run, Surroundings
from models.training.steps.randomness import repeatable
from models.training.tuning.average import mean_state, moved_back
from models.training.tuning.features import compute_features, divisible
from models.training.tuning.tuner import Tuner
from models.training.tuning.tuning_config import TuningConfig
from models.training.watch import Watch

_BATCH = 64


def tune(
    config: TuningConfig,
    store: CropStore,
    folder: RunFolder,
    *,
    weights_dir: Path,
    device: str = "cpu",
    watch: Watch | None = None,
    split: Split | None = None,
) -> Mapping[str, Any]:
    """Fine-tune; write the best weights, a log and a report into `folder`, and return the report.

    `split` are the people tuned on, chosen by and tested on; by default, they are drawn. Raises
    TrainingError, or WeightsError where the initial weights cannot be loaded.
    """
    with repeatable(wanted=True, threads=config.threads):
        around = Surroundings(store, folder, weights_dir, torch.device(device), watch)
        return _Tuning(config, around, split).run()


class _Tuning(Run):
    def __init__(self, config: TuningConfig, around: Surroundings, split: Split | None) -> None:
        super().__init__(config, around, split)
        divisible(self._network)
        self._config = config
        self._before = deepcopy(self._network.module.state_dict())

    def run(self) -> Mapping[str, Any]:
        self._evaluate({"epoch": 0, "step": 0, "back": 1.0})
        mean = mean_state(self._states())
        for number, share in enumerate(self._config.back, start=1):
            self._network.module.load_state_dict(moved_back(mean, self._before, share))
            self._evaluate({"epoch": number, "step": self._progress.step, "back": share})
        self._progress.seconds = self._seconds()
        return self._finish()

    def _states(self) -> list[Mapping[str, Tensor]]:
        """The weights at the end of each run."""
        numbers = self._split.train
        config = self._config
        people, labels = np.unique(self._store.labels[numbers], return_inverse=True)
        copies = config.data.copies
        self._watch.began(
            step=0,
            steps=config.runs * config.steps,
            people=len(people),
            photos=len(numbers),
            copies=copies * len(numbers),
        )
        file = self._around.folder.path / "features.npy"
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
        tuner.run(number, self._stepped)
        return deepcopy(self._network.module.state_dict())
