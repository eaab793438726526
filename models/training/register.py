"""Registration of the network of a finished run as an embedder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.training.config import NO_FILES, NetworkOptions
from models.training.errors import RunUnusableError
from models.training.networks import begins_from_scratch
from models.training.results.run_folder import RunFolder, read_report
from models.zoo.adding import Naming, card_of, renamed, require_free
from models.zoo.architectures import Recipe
from models.zoo.cards import NetworkCard
from models.zoo.network import NOT_DOCUMENTED
from models.zoo.registered import register
from models.zoo.registry import ZOO
from models.zoo.weights.module_weights import module_of
from models.zoo.weights.weights_file import read_weights


def add_run(run: Path, naming: Naming, weights_dir: Path) -> NetworkCard:
    """Register the best weights of a finished run, with their figures.

    Raises RunUnusableError, NameTakenError, or WeightsError where the weights are damaged.
    """
    require_free(naming.name, weights_dir)
    report = read_report(run)
    weights = RunFolder(run).weights
    saved = read_weights(weights)
    if saved.digest != report["digest"]:
        raise RunUnusableError(f"{weights} is not the file in the report of {run}; train again")
    recipe = Recipe(**report["recipe"])
    module_of(saved, recipe)
    best = {name: value for name, value in report["best"].items() if name != "seconds"}
    card = card_of(
        saved,
        recipe,
        naming,
        mirror_average=report["mirror_average"],
        training_data=_training_data(report),
        loss=report["config"]["loss"],
        data=report["data"],
        figures={"choose": best, "test": report["test"]},
        calibration=renamed(report["calibration"], naming.name),
    )
    register(card, weights, weights_dir)
    return card


def _training_data(report: Mapping[str, Any]) -> str:
    """A description of the photos of a run, and of those of its initial weights."""
    shown = report["data"]["train"]
    network = report["config"]["network"]
    ours = f"{shown['photos']} photos of {shown['people']} people, given to this run"
    if begins_from_scratch(NetworkOptions(**network)):
        return ours
    if network["weights"] not in NO_FILES:
        return f"{ours}; before, those of {Path(network['weights']).name}"
    entry = ZOO.get(network["name"])
    before = NOT_DOCUMENTED if entry is None else entry.spec.training_data
    return f"{ours}; before, those of {network['name']}: {before}"
