"""Measurements and cards that Vultus ships, one JSON file a network.

    shipped/calibrations/      error rates of similarities (`vultus calibrate FOLDER --out FILE`)
    shipped/distinctiveness/   see `distinctiveness.py`
    shipped/recipes/           cards of networks that Vultus no longer ships

The weights of a recipe are not published. A collection may still use the network: its file, kept
from an older installation or made again, can be registered, and the card has its measurements.
"""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from models.evaluation.calibration.similarity_map import SimilarityMap
from models.zoo.weights.distinctiveness import Distinctiveness

_SHIPPED: Final = Path(str(files("models.zoo.weights"))) / "shipped"
RECIPES: Final = _SHIPPED / "recipes"


def shipped_calibration(name: str) -> SimilarityMap:
    return SimilarityMap.from_json(_read(_SHIPPED / "calibrations" / f"{name}.json"))


def shipped_distinctiveness(name: str, *, dimension: int) -> Distinctiveness:
    read = _read(_SHIPPED / "distinctiveness" / f"{name}.json")
    return Distinctiveness.from_json(read, dimension=dimension)


def recipe_digest(name: str) -> str | None:
    """SHA-256 of the file of a network that is a recipe, else None."""
    card = RECIPES / f"{name}.json"
    return _digest(card) if card.is_file() else None


def card_of_file(digest: str) -> Path | None:
    """The card of a recipe that was made for the file of this SHA-256."""
    return next((card for card in sorted(RECIPES.glob("*.json")) if _digest(card) == digest), None)


def _digest(card: Path) -> str:
    digest: str = _read(card)["digest"]
    return digest


def _read(path: Path) -> Any:  # noqa: ANN401
    return json.loads(path.read_text(encoding="utf-8"))
