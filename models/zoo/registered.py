"""Registered networks: in one folder, the card NAME.json beside the weights.

The weights are NAME.safetensors or, for a graph, a folder NAME with an .onnx file and the files
that it names.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from torch import nn

from models.files import move_into_place, write_atomically
from models.zoo.architectures import Recipe, build
from models.zoo.cards import NAME, NetworkCard, read_card, write_card
from models.zoo.errors import WeightsInvalidError
from models.zoo.network import Network
from models.zoo.serving.onnx_network import external_files, load_described
from models.zoo.serving.run_options import RunOptions
from models.zoo.serving.serve import serve
from models.zoo.weights.weights_file import SavedWeights, read_weights


def networks_dir(weights_dir: Path) -> Path:
    return weights_dir / "networks"


def list_registered(weights_dir: Path) -> tuple[NetworkCard, ...]:
    """Cards of the registered networks, by name. Raises WeightsInvalidError for a damaged one."""
    return tuple(_read(path) for path in _cards(weights_dir))


def registered_names(weights_dir: Path) -> tuple[str, ...]:
    return tuple(path.stem for path in _cards(weights_dir))


def find_card(name: str, weights_dir: Path) -> NetworkCard | None:
    if not NAME.fullmatch(name):
        return None
    path = networks_dir(weights_dir) / f"{name}.json"
    return _read(path) if path.is_file() else None


def register(card: NetworkCard, weights: Path, weights_dir: Path) -> None:
    """Copy the weights, then write the card: the network is known from then on."""
    folder = networks_dir(weights_dir)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if card.onnx is None:
        data = weights.read_bytes()
        write_atomically(folder / f"{card.name}.safetensors", lambda file: file.write(data))
    else:
        _copy_graph(weights, folder / card.name)
    write_card(folder / f"{card.name}.json", card)


def _copy_graph(weights: Path, folder: Path) -> None:
    """Copy the files of a graph. Without a card, the folder is ignored, so it may be incomplete."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for file in (weights, *external_files(weights)):
        unfinished = folder / f".{file.name}.tmp"
        shutil.copyfile(file, unfinished)
        move_into_place(unfinished, folder / file.name)


def load_registered(card: NetworkCard, folder: Path, options: RunOptions) -> Network:
    """Load a network with the weights under the card's name in `folder`.

    Raises WeightsMissingError, or WeightsInvalidError where the file is not the card's.
    """
    part = card.onnx
    if part is not None:
        path = folder / card.name / part.file
        network = load_described(path, card.spec(), part.colours, part.template, options)
        _require_digest(card, network.digest, path)
        return network
    assert card.recipe is not None
    path = folder / f"{card.name}.safetensors"
    saved = read_weights(path)
    _require_digest(card, saved.digest, path)
    _require_described(card, saved)
    module = module_of(saved, card.recipe)
    return serve(module, card.spec(), card.digest, options)


def _require_digest(card: NetworkCard, digest: str, path: Path) -> None:
    if digest != card.digest:
        raise WeightsInvalidError(
            f"{path} is not the file that the card of {card.name} was made for, or the card was "
            f"changed: the SHA-256 is {digest}, expected {card.digest}. Add the network again."
        )


def module_of(saved: SavedWeights, recipe: Recipe) -> nn.Module:
    """The network with these weights, ready to serve. Raises WeightsInvalidError."""
    module = build(recipe)
    fill(module, saved, recipe.architecture)
    return module.eval()


def fill(module: nn.Module, saved: SavedWeights, name: str) -> None:
    """Load weights into a module. Raises WeightsInvalidError for those of another network."""
    counters = {key for key in module.state_dict() if key.endswith("num_batches_tracked")}
    state = {key: value for key, value in saved.state.items() if key not in counters}
    try:
        found = module.load_state_dict(state, strict=False)
    except RuntimeError as error:  # of sizes that differ
        raise WeightsInvalidError(f"these are not the weights of {name}: {error}") from error
    missing = sorted(set(found.missing_keys) - counters)
    if missing or found.unexpected_keys:
        raise WeightsInvalidError(
            f"these are not the weights of {name}: of its parameters {', '.join(missing) or 'none'}"
            f" are missing, and {', '.join(found.unexpected_keys) or 'none'} are not its own"
        )


def _require_described(card: NetworkCard, saved: SavedWeights) -> None:
    """Require that card and file agree: the digest covers the file alone."""
    recipe = card.recipe
    same = (
        recipe is not None
        and saved.recipe == recipe
        and saved.mirror_average == card.mirror_average
        and (recipe.dimension, recipe.input) == (card.dimension, card.input)
    )
    if not same:
        raise WeightsInvalidError(
            f"the card of {card.name} describes another network than its weights do (recipe, "
            "dimension, input or mirror_average); add the network again"
        )


def _read(path: Path) -> NetworkCard:
    card = read_card(path)
    if card.name != path.stem:
        raise WeightsInvalidError(f"{path} is the card of {card.name}; rename the files")
    return card


def _cards(weights_dir: Path) -> Iterator[Path]:
    yield from sorted(networks_dir(weights_dir).glob("*.json"))
