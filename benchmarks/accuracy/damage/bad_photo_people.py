"""The people whose photos are made bad, in two halves, and the face of each photo.

The quality floor and `distinctiveness` were chosen by one half, and are measured on the other.
"""

import asyncio
from pathlib import Path
from typing import Final, Literal

import numpy as np
from PIL import Image

from app.recognition.pipeline import Recognizer
from app.recognition.select import central_face
from app.recognition.types import EmbeddedFace, Pixels
from benchmarks.accuracy.damage.quality_damage import as_png
from benchmarks.kit.lfw_data import LfwData

Half = Literal["choose", "report"]

_SEED: Final = 11


def photos_of_half(data: LfwData, half: Half) -> list[list[Path]]:
    """The photos of each person of a half, people in a random order that is always the same."""
    people = sorted(data.photos_by_person().items())
    order = np.random.default_rng(_SEED).permutation(len(people))
    chosen = order[0 if half == "choose" else 1 :: 2]
    return [[data.images / photo for photo in people[place][1]] for place in chosen]


def pixels_of(path: Path) -> Pixels:
    with Image.open(path) as opened:
        return np.array(opened.convert("RGB"))


async def face_of(recognizer: Recognizer, photo: Pixels) -> EmbeddedFace | None:
    """The face nearest the centre, if one is found."""
    image = await asyncio.to_thread(as_png, photo)
    found = await recognizer.embed(image, central_face)
    return found.faces[0] if found.faces else None
