"""Register a file as an embedder: weights of a known architecture, or an ONNX graph."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from models.evaluation.calibration.similarity_map import SimilarityMap
from models.zoo.architectures import Recipe, find_architecture
from models.zoo.cards import NAME, NetworkCard, OnnxPart, read_card
from models.zoo.catalogue.entry import find_entry
from models.zoo.errors import NameTakenError, NetworkUnnamedError
from models.zoo.names import AUTO_EMBEDDER, ZOO_NAMES
from models.zoo.registered import register, registered_names
from models.zoo.serving.onnx_network import OnnxNetwork, OnnxOptions
from models.zoo.serving.run_options import RunOptions
from models.zoo.weights.shipped_files import card_of_file

if TYPE_CHECKING:
    from models.zoo.weights.weights_file import SavedWeights


@dataclass(frozen=True, slots=True)
class Naming:
    """The name, licence and description of a network, as the user gives them."""

    name: str
    license: str
    description: str = ""


def add_onnx(file: Path, naming: Naming, weights_dir: Path, options: OnnxOptions) -> NetworkCard:
    """Register an .onnx file and the files that it names, after a run on a blank crop.

    The card contains the whole preparation of crops, so that a later change of defaults changes no
    embedding. Raises NameTakenError, WeightsMissingError without a runtime, or WeightsInvalidError
    where the graph is no embedding network, or contradicts the options.
    """
    require_free(naming.name, weights_dir)
    network = OnnxNetwork(file, options, RunOptions("cpu", half=False, backend="auto"))
    spec = network.spec
    card = NetworkCard(
        name=naming.name,
        digest=network.digest,
        onnx=OnnxPart(file=file.name, colours=options.colours, template=options.template),
        dimension=spec.dimension,
        input=spec.input,
        mirror_average=spec.mirror_average,
        description=naming.description or spec.description,
        license=naming.license,
        made=_now(),
    )
    register(card, file, weights_dir)
    return card


def add_weights(
    file: Path,
    naming: Naming,
    weights_dir: Path,
    *,
    recipe: Recipe | None = None,
    mirror_average: bool = True,
) -> NetworkCard:
    """Register a file of weights; `recipe` describes the network, if the file does not.

    If a card was made for this file, and is beside it or comes with Vultus, its measurements are
    used. Raises NameTakenError, or WeightsError where the file is not one of such a network.
    """
    # Imported here, because these need PyTorch.
    from models.zoo.weights.module_weights import module_of  # noqa: PLC0415
    from models.zoo.weights.weights_file import read_weights, save_weights  # noqa: PLC0415

    require_free(naming.name, weights_dir)
    saved = read_weights(file)
    known, recipe = saved.recipe is not None, saved.recipe or recipe
    if recipe is None:
        raise NetworkUnnamedError(f"{file} does not name the network of its weights")
    module = module_of(saved, recipe)
    if known and (made := _card_made_for(file, saved.digest)) is not None:
        card = made.model_copy(
            update={
                "name": naming.name,
                "license": naming.license,
                "description": naming.description or made.description,
                "calibration": renamed(made.calibration, naming.name),
            }
        )
        register(card, file, weights_dir)
        return card
    if saved.mirror_average is not None:
        mirror_average = saved.mirror_average
    with TemporaryDirectory() as folder:
        if not known:
            file = Path(folder) / "network.safetensors"
            state = module.state_dict()
            digest = save_weights(file, state, recipe, mirror_average=mirror_average)
            saved = replace(saved, digest=digest)
        card = card_of(saved, recipe, naming, mirror_average=mirror_average)
        register(card, file, weights_dir)
    return card


def card_of(
    saved: "SavedWeights",
    recipe: Recipe,
    naming: Naming,
    *,
    mirror_average: bool,
    **measured: object,
) -> NetworkCard:
    """The card of weights of a recipe; `measured` are more of its fields."""
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
        made=_now(),
        **measured,
    )


def require_free(name: str, weights_dir: Path) -> None:
    """Raises NameTakenError where a new network cannot have this name."""
    if not NAME.fullmatch(name):
        raise NameTakenError(
            f"{name!r} is no name of a network; use up to 63 lower-case letters, digits and . _ -"
        )
    if name in (*ZOO_NAMES, AUTO_EMBEDDER, *registered_names(weights_dir)):
        raise NameTakenError(
            f"there is a network {name!r} already; collections may use its embeddings, so choose "
            "another name"
        )
    published = find_entry(name)
    if published is not None and published.sources:
        raise NameTakenError(f"{name!r} is a network of the catalogue; choose another name")


def renamed(calibration: Mapping[str, Any] | None, name: str) -> dict[str, Any] | None:
    """The calibration with the new name of its network."""
    if calibration is None:
        return None
    return replace(SimilarityMap.from_json(dict(calibration)), embedder=name).to_json()


def _card_made_for(file: Path, digest: str) -> NetworkCard | None:
    """The card that was made for this file: beside it, or one that comes with Vultus."""
    for path in (file.with_suffix(".json"), card_of_file(digest)):
        if path is not None and path.is_file():
            card = read_card(path)
            if card.digest == digest:
                return card
    return None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
