"""Judge a network during training: measure it, keep the best weights, report them at the end."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.evaluation.calibration.measure_map import measure_map
from models.evaluation.calibration.similarity_map import SimilarityMap
from models.training.config import RunConfig
from models.training.data.crop_store import CropStore
from models.training.data.split import Split
from models.training.errors import MetricMissingError
from models.training.networks import TrainableNetwork, begins_from_scratch, build_network
from models.training.results.measure import at_most, embed, figures
from models.training.results.metric_names import METRICS, is_better
from models.training.results.run_folder import RunFolder
from models.training.steps.checkpoint import Progress
from models.zoo.registered import fill
from models.zoo.weights.weights_file import read_weights, save_weights

Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Measured:
    """Embeddings (N, dimension), and their people (N,)."""

    embeddings: NDArray[np.float32]
    labels: NDArray[np.int64]


class Judge:
    """Measures on the people to choose by; at the end, once, on those to test by."""

    def __init__(
        self,
        config: RunConfig,
        store: CropStore,
        split: Split,
        network: TrainableNetwork,
        folder: RunFolder,
        device: torch.device,
    ) -> None:
        self._config = config
        self._store = store
        self._split = split
        self._network = network
        self._folder = folder
        self._device = device

    def evaluate(self, progress: Progress, line: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
        """Add `line`, with its figures, to the log, and keep the weights if they are the best.

        Returns the whole line, and whether it is the best so far. Raises MetricMissingError.
        """
        measured = self._measured(self._network.module, self._split.choose)
        whole = {**line, **self._figures(measured)}
        is_best = self._is_best(whole, progress.best)
        if is_best:
            progress.best = whole
            save_weights(
                self._folder.weights,
                self._network.module.state_dict(),
                self._network.recipe,
                mirror_average=self._config.network.mirror_average,
            )
        progress.history.append(whole)
        self._folder.write_log(progress.history)
        return whole, is_best

    def finish(self, progress: Progress, about: Mapping[str, Any], weights_dir: Path) -> Figures:
        """Test the best weights on people who were neither trained on nor chosen by; report."""
        saved = read_weights(self._folder.weights)
        fill(self._network.module, saved, self._network.recipe.architecture)
        tested = self._measured(self._network.module, self._split.test)
        calibration = self._calibration(tested, saved.digest)
        report = {
            "config": self._config.model_dump(mode="json"),
            "recipe": self._network.recipe.to_json(),
            "mirror_average": self._config.network.mirror_average,
            "digest": saved.digest,
            "data": self._counts(),
            "best": progress.best,
            "history": progress.history,
            "test": self._figures(tested),
            "test_before": self._figures_before(weights_dir),
            "calibration": None if calibration is None else calibration.to_json(),
            "seconds": round(progress.seconds, 1),
            **about,
        }
        self._folder.write_report(report)
        return report

    def _is_best(self, line: Mapping[str, Any], best: Mapping[str, Any] | None) -> bool:
        if not len(self._split.choose):  # nothing to choose by: the last is taken
            return True
        metric = self._config.evaluation.metric
        if metric not in line:
            measured = [name for name in line if name in METRICS]
            raise MetricMissingError(
                f"the people to choose by have too few photos for {metric}; set evaluation.metric "
                f"to one of: {', '.join(measured) or 'none'}; or raise data.choose"
            )
        return best is None or is_better(metric, line[metric], best[metric])

    def _measured(self, module: nn.Module, numbers: NDArray[np.int64]) -> _Measured:
        """At most so many photos as are to be compared, of people drawn by chance."""
        options = self._config.evaluation
        labels = self._store.labels[numbers]
        taken = at_most(labels, options.max_photos, seed=self._config.seed)
        if not len(taken):
            return _Measured(np.empty((0, 1), dtype=np.float32), labels[taken])
        rows = embed(
            module,
            self._store,
            numbers[taken],
            self._network.recipe.input,
            mirror_average=self._config.network.mirror_average,
            device=self._device,
            batch_size=options.batch_size,
        )
        return _Measured(rows, labels[taken])

    def _figures(self, measured: _Measured) -> Figures:
        if not len(measured.labels):
            return {}
        return figures(
            measured.embeddings,
            measured.labels,
            seed=self._config.seed,
            nmi=self._config.evaluation.nmi,
        )

    def _figures_before(self, weights_dir: Path) -> Figures:
        """Of the weights that a network was tuned from."""
        options = self._config.network
        if begins_from_scratch(options) or options.head != "none":
            return {}
        untouched = build_network(options, weights_dir=weights_dir, seed=self._config.seed)
        return self._figures(self._measured(untouched.module.to(self._device), self._split.test))

    def _calibration(self, measured: _Measured, digest: str) -> SimilarityMap | None:
        """How alike strangers are; None where there are too few to measure."""
        people = [self._store.names[person] for person in measured.labels]
        try:
            return measure_map(
                measured.embeddings,
                people,
                embedder=self._network.recipe.architecture,
                digest=digest,
                source=f"{len(people)} photos of {len(set(people))} people who were not trained on",
            )
        except ValueError:  # there are too few; the card then has none
            return None

    def _counts(self) -> dict[str, Any]:
        shares = {
            name: {"photos": len(rows), "people": len(np.unique(self._store.labels[rows]))}
            for name, rows in (
                ("train", self._split.train),
                ("choose", self._split.choose),
                ("test", self._split.test),
            )
        }
        return {**shares, "digest": self._store.digest, "failures": len(self._store.failures)}
