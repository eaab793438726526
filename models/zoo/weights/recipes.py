"""Cards of networks that Vultus no longer ships, and whose files are not published: NAME.json.

A gallery may rest on one. Its file, kept from an older installation or made again, can be
registered. The card has what was measured of the file.
"""

import json
from importlib.resources import files
from pathlib import Path
from typing import Final

FOLDER: Final = Path(str(files("models.zoo.weights"))) / "shipped" / "recipes"


def recipe_digest(name: str) -> str | None:
    """SHA-256 of the file of a network that is a recipe; None where it is none."""
    card = FOLDER / f"{name}.json"
    if not card.is_file():
        return None
    digest: str = json.loads(card.read_text(encoding="utf-8"))["digest"]
    return digest


def card_of_file(digest: str) -> Path | None:
    """The card that was made for a file of this SHA-256."""
    return next((card for card in sorted(FOLDER.glob("*.json")) if _is_of(card, digest)), None)


def _is_of(card: Path, digest: str) -> bool:
    return bool(json.loads(card.read_text(encoding="utf-8"))["digest"] == digest)
