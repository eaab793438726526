"""Networks that were trained here and registered: NAME.safetensors and NAME.json in a folder."""

from collections.abc import Iterator
from pathlib import Path

from torch import nn

from models.files import write_atomically
from models.zoo.architectures import Recipe, build
from models.zoo.cards import NAME, NetworkCard, read_card, write_card
from models.zoo.errors import WeightsInvalidError
from models.zoo.network import Network
from models.zoo.serving.run_options import RunOptions
from models.zoo.serving.serve import serve
from models.zoo.weights.weights_file import SavedWeights, read_weights


def networks_dir(weights_dir: Path) -> Path:
    return weights_dir / "networks"


def list_trained(weights_dir: Path) -> tuple[NetworkCard, ...]:
    """Cards of the registered networks, by name. Raises WeightsInvalidError for a damaged one."""
    return tuple(_read(path) for path in _cards(weights_dir))


def trained_names(weights_dir: Path) -> tuple[str, ...]:
    return tuple(path.stem for path in _cards(weights_dir))


def find_card(name: str, weights_dir: Path) -> NetworkCard | None:
    if not NAME.fullmatch(name):
        return None
    path = networks_dir(weights_dir) / f"{name}.json"
    return _read(path) if path.is_file() else None


def register(card: NetworkCard, weights: Path, weights_dir: Path) -> None:
    """Copy the weights and write the card after them, which is what makes the network known."""
    folder = networks_dir(weights_dir)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = folder / f"{card.name}.safetensors"
    data = weights.read_bytes()
    write_atomically(target, lambda file: file.write(data))
    write_card(folder / f"{card.name}.json", card)


def load_carded(card: NetworkCard, folder: Path, options: RunOptions) -> Network:
    """With the weights that lie under the card's name in a folder.

    Raises WeightsMissingError, or WeightsInvalidError where the file is not the card's.
    """
    path = folder / f"{card.name}.safetensors"
    saved = read_weights(path)
    if saved.digest != card.digest:
        raise WeightsInvalidError(
            f"{path} is not the file that the card of {card.name} was made for: its SHA-256 is "
            f"{saved.digest}, expected {card.digest}. Add the network again."
        )
    _require_told(card, saved)
    module = module_of(saved, card.recipe)
    return serve(module, card.spec(), card.digest, options)


def module_of(saved: SavedWeights, recipe: Recipe) -> nn.Module:
    """The network with these weights, ready to serve. Raises WeightsInvalidError."""
    module = build(recipe)
    fill(module, saved, recipe.architecture)
    return module.eval()


def fill(module: nn.Module, saved: SavedWeights, name: str) -> None:
    """Raises WeightsInvalidError where the weights are those of another network."""
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


def _require_told(card: NetworkCard, saved: SavedWeights) -> None:
    """The digest covers the file alone, so that what the card says must be what the file says."""
    same = (
        saved.recipe == card.recipe
        and saved.mirror_average == card.mirror_average
        and (card.recipe.dimension, card.recipe.input) == (card.dimension, card.input)
    )
    if not same:
        raise WeightsInvalidError(
            f"the card of {card.name} tells of another network than its weights do (recipe, "
            "dimension, input or mirror_average); add the network again"
        )


def _read(path: Path) -> NetworkCard:
    card = read_card(path)
    if card.name != path.stem:
        raise WeightsInvalidError(f"{path} is the card of {card.name}; name the files as it does")
    return card


def _cards(weights_dir: Path) -> Iterator[Path]:
    yield from sorted(networks_dir(weights_dir).glob("*.json"))
