"""Make a trained network an embedder: its weights and a card, under a name."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from models.evaluation.calibration.similarity_map import SimilarityMap
from models.training.config import NO_FILES, NetworkOptions
from models.training.errors import NameTakenError, RunUnusableError
from models.training.networks import begins_from_scratch
from models.training.results.run_folder import RunFolder, read_report
from models.zoo.architectures import Recipe, find_architecture
from models.zoo.cards import NAME, NetworkCard, read_card
from models.zoo.catalogue.entry import find_entry
from models.zoo.errors import WeightsInvalidError
from models.zoo.network import NOT_DOCUMENTED
from models.zoo.registry import ZOO
from models.zoo.trained import module_of, register, trained_names
from models.zoo.weights.recipes import card_of_file
from models.zoo.weights.weights_file import SavedWeights, read_weights, save_weights

_AUTO = "auto"
"""What the service takes for the choice of an embedder, and not for its name."""


@dataclass(frozen=True, slots=True)
class Naming:
    """What the user says of a network: its name, who may use it, and what it is for."""

    name: str
    license: str
    description: str = ""


def add_run(run: Path, naming: Naming, weights_dir: Path) -> NetworkCard:
    """Register the best weights of a finished run, with what was measured of them.

    Raises RunUnusableError, NameTakenError, or WeightsError where the weights are damaged.
    """
    require_free(naming.name, weights_dir)
    report = read_report(run)
    weights = RunFolder(run).weights
    saved = read_weights(weights)
    if saved.digest != report["digest"]:
        raise RunUnusableError(f"{weights} is not the file that {run} reports; train again")
    recipe = Recipe(**report["recipe"])
    module_of(saved, recipe)
    config = report["config"]
    card = _card(
        saved,
        recipe,
        naming,
        mirror_average=report["mirror_average"],
        training_data=_training_data(report),
        loss=config["loss"],
        data=report["data"],
        figures={"choose": _without_times(report["best"]), "test": report["test"]},
        calibration=_renamed(report["calibration"], naming.name),
    )
    register(card, weights, weights_dir)
    return card


def add_file(
    file: Path,
    naming: Naming,
    weights_dir: Path,
    *,
    recipe: Recipe | None = None,
    mirror_average: bool = True,
) -> NetworkCard:
    """Register a file of weights. `recipe` says what of, where the file does not.

    A card that was made for this very file, and lies beside it or comes with Vultus, gives what was
    measured of it. Raises NameTakenError, or WeightsError where the file is not such a network's.
    """
    require_free(naming.name, weights_dir)
    saved = read_weights(file)
    recipe = saved.recipe or recipe
    if recipe is None:
        raise WeightsInvalidError(
            f"{file} does not say which network it is of; say it with --network"
        )
    module = module_of(saved, recipe)
    if saved.recipe is not None and (made := _card_made_for(file, saved.digest)) is not None:
        card = made.model_copy(
            update={
                "name": naming.name,
                "license": naming.license,
                "description": naming.description or made.description,
                "calibration": _renamed(made.calibration, naming.name),
            }
        )
        register(card, file, weights_dir)
        return card
    if saved.mirror_average is not None:
        mirror_average = saved.mirror_average
    if saved.recipe is not None:
        card = _card(saved, recipe, naming, mirror_average=mirror_average)
        register(card, file, weights_dir)
        return card
    with TemporaryDirectory() as folder:
        weights = Path(folder) / "network.safetensors"
        state = module.state_dict()
        digest = save_weights(weights, state, recipe, mirror_average=mirror_average)
        saved = replace(saved, digest=digest)
        card = _card(saved, recipe, naming, mirror_average=mirror_average)
        register(card, weights, weights_dir)
    return card


def _card_made_for(file: Path, digest: str) -> NetworkCard | None:
    """The card that lies beside a file, or that comes with Vultus, where it was made for it."""
    for path in (file.with_suffix(".json"), card_of_file(digest)):
        if path is not None and path.is_file():
            card = read_card(path)
            if card.digest == digest:
                return card
    return None


def require_free(name: str, weights_dir: Path) -> None:
    """Raises NameTakenError where a network cannot have that name."""
    if not NAME.fullmatch(name):
        raise NameTakenError(
            f"{name!r} is no name of a network; take up to 63 lower-case letters, digits and . _ -"
        )
    if name in (*ZOO, _AUTO) or name in trained_names(weights_dir):
        raise NameTakenError(
            f"there is a network {name!r} already; collections may rest on its embeddings, so take "
            "another name"
        )
    published = find_entry(name)
    if published is not None and published.sources:
        raise NameTakenError(f"{name!r} is a network of the catalogue; take another name")


def _card(
    saved: SavedWeights,
    recipe: Recipe,
    naming: Naming,
    *,
    mirror_average: bool,
    training_data: str = NOT_DOCUMENTED,
    loss: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    figures: Mapping[str, Any] | None = None,
    calibration: Mapping[str, Any] | None = None,
) -> NetworkCard:
    architecture = find_architecture(recipe.architecture)
    return NetworkCard(
        name=naming.name,
        digest=saved.digest,
        recipe=recipe,
        dimension=recipe.dimension,
        input=recipe.input,
        mirror_average=mirror_average,
        description=naming.description or f"{architecture.description}, trained here",
        license=naming.license,
        training_data=training_data,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        loss=loss or {},
        data=data or {},
        figures=figures or {},
        calibration=calibration,
    )


def _training_data(report: Mapping[str, Any]) -> str:
    """The photos of a run, and those behind the weights that it began with."""
    shown = report["data"]["train"]
    network = report["config"]["network"]
    ours = f"{shown['photos']} photos of {shown['people']} people, given to this run"
    if begins_from_scratch(NetworkOptions(**network)):
        return ours
    if network["weights"] not in NO_FILES:
        return f"{ours}; before, those of {Path(network['weights']).name}"
    entry = ZOO.get(network["name"])
    before = NOT_DOCUMENTED if entry is None or entry.spec is None else entry.spec.training_data
    return f"{ours}; before, those of {network['name']}: {before}"


def _renamed(calibration: Mapping[str, Any] | None, name: str) -> dict[str, Any] | None:
    """The same calibration, of the network as it is called now."""
    if calibration is None:
        return None
    return replace(SimilarityMap.from_json(dict(calibration)), embedder=name).to_json()


def _without_times(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name != "seconds"}
