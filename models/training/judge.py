"""Evaluation during training: measure the network, keep the best weights, write the report."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
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
from models.zoo.weights.module_weights import fill
from models.zoo.weights.weights_file import read_weights, save_weights

Figures = Mapping[str, float]
_Measured = tuple[NDArray[np.float32], NDArray[np.int64]]
"""Embeddings (N, dimension), and their people (N,)."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Measures a network on the people to choose by and, once at the end, on those to test on."""

    config: RunConfig
    store: CropStore
    split: Split
    network: TrainableNetwork
    folder: RunFolder
    device: torch.device

    def evaluate(self, progress: Progress, line: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
        """Add `line` and the figures to the log, and save the weights if they are the best.

        Returns the whole line, and whether it is the best so far. Raises MetricMissingError.
        """
        measured = self._measured(self.network.module, self.split.choose)
        whole = {**line, **self._figures(measured)}
        is_best = self._is_best(whole, progress.best)
        if is_best:
            progress.best = whole
            save_weights(
                self.folder.weights,
                self.network.module.state_dict(),
                self.network.recipe,
                mirror_average=self.config.network.mirror_average,
            )
        progress.history.append(whole)
        self.folder.write_log(progress.history)
        return whole, is_best

    def finish(self, progress: Progress, about: Mapping[str, Any], weights_dir: Path) -> Figures:
        """Test the best weights, once, on the people to test on. Returns the report."""
        saved = read_weights(self.folder.weights)
        fill(self.network.module, saved.state, self.network.recipe.architecture)
        tested = self._measured(self.network.module, self.split.test)
        calibration = self._calibration(tested, saved.digest)
        report = {
            "config": self.config.model_dump(mode="json"),
            "recipe": asdict(self.network.recipe),
            "mirror_average": self.config.network.mirror_average,
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
        self.folder.write_report(report)
        return report

    def _is_best(self, line: Mapping[str, Any], best: Mapping[str, Any] | None) -> bool:
        if not len(self.split.choose):  # without people to choose by, the last weights are kept
            return True
        metric = self.config.evaluation.metric
        if metric not in line:
            measured = [name for name in line if name in METRICS]
            raise MetricMissingError(
                f"the people to choose by have too few photos for {metric}; set evaluation.metric "
                f"to one of: {', '.join(measured) or 'none'}; or raise data.choose"
            )
        return best is None or is_better(metric, line[metric], best[metric])

    def _measured(self, module: nn.Module, numbers: NDArray[np.int64]) -> _Measured:
        """Embed at most `max_photos` photos, of people drawn by chance."""
        options = self.config.evaluation
        labels = self.store.labels[numbers]
        taken = at_most(labels, options.max_photos, seed=self.config.seed)
        if not len(taken):
            return np.empty((0, 1), dtype=np.float32), labels[taken]
        rows = embed(
            module,
            self.store,
            numbers[taken],
            self.network.recipe.input,
            mirror_average=self.config.network.mirror_average,
            device=self.device,
            batch_size=options.batch_size,
        )
        return rows, labels[taken]

    def _figures(self, measured: _Measured) -> Figures:
        embeddings, labels = measured
        if not len(labels):
            return {}
        return figures(embeddings, labels, seed=self.config.seed, nmi=self.config.evaluation.nmi)

    def _figures_before(self, weights_dir: Path) -> Figures:
        """Figures of the weights that a network was tuned from."""
        options = self.config.network
        if begins_from_scratch(options) or options.head != "none":
            return {}
        untouched = build_network(options, weights_dir=weights_dir, seed=self.config.seed)
        return self._figures(self._measured(untouched.module.to(self.device), self.split.test))

    def _calibration(self, measured: _Measured, digest: str) -> SimilarityMap | None:
        """Error rates between strangers; None where there are too few people to measure them."""
        embeddings, labels = measured
        people = [self.store.names[person] for person in labels]
        try:
            return measure_map(
                embeddings,
                people,
                embedder=self.network.recipe.architecture,
                digest=digest,
                source=f"{len(people)} photos of {len(set(people))} people who were not trained on",
            )
        except ValueError:  # too few people: the card has no calibration then
            return None

    def _counts(self) -> dict[str, Any]:
        shares = {
            name: {"photos": len(rows), "people": len(np.unique(self.store.labels[rows]))}
            for name, rows in asdict(self.split).items()
        }
        return {**shares, "digest": self.store.digest, "failures": len(self.store.failures)}
