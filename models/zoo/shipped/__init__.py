"""Networks that come with Vultus: NAME.safetensors, in half precision, and NAME.json, its card."""

from importlib.resources import files
from pathlib import Path

from models.zoo.cards import NetworkCard, read_card

FOLDER = Path(str(files(__name__)))


def shipped_card(name: str) -> NetworkCard:
    """Raises WeightsInvalidError where the file is damaged."""
    return read_card(FOLDER / f"{name}.json")
