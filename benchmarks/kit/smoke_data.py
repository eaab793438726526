"""The data of `--smoke`, with which a benchmark ends in seconds: it shows that the benchmark runs.

Photos of two people, which packages ship, are stretched so that they make a dozen "people". Figures
measured on them say nothing about Vultus.
"""

import atexit
import csv
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from benchmarks.kit.lfw_data import PHOTO_SIDE_PX
from benchmarks.kit.lfw_embeddings import People
from tests.kit.photos import astronaut, encoded, hopper

_PEOPLE = 12
_PHOTOS_EACH = 3
_FOLDS = 5


def synthetic_people(dimension: int = 128) -> People:
    """Random embeddings of 120 people with 10 photos each, for what is computed from many."""
    generator = np.random.default_rng(0)
    people, each = 120, 10
    centres = np.repeat(generator.normal(size=(people, dimension)), each, axis=0)
    rows = centres + 0.5 * generator.normal(size=centres.shape)
    return People(
        embeddings=(rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32),
        quality=generator.uniform(40.0, 95.0, len(rows)),
        person=np.repeat(np.arange(people), each),
        names=tuple(f"Person_{number:03d}" for number in range(people)),
    )


@cache
def smoke_faces_folder() -> Path:
    """A folder as that of Labeled Faces in the Wild: images/ and pairs.csv."""
    root = _temporary_folder()
    names = [f"Person_{number:02d}" for number in range(_PEOPLE)]
    for number, name in enumerate(names):
        folder = root / "images" / name
        folder.mkdir(parents=True)
        for place in range(_PHOTOS_EACH):
            file = folder / f"{name}_{place + 1:04d}.jpg"
            file.write_bytes(encoded(_portrait(number, place), quality=90))
    with (root / "pairs.csv").open("w", newline="", encoding="utf-8") as pairs:
        lines = csv.writer(pairs)
        lines.writerow(("fold", "same", "left", "right"))
        for number, name in enumerate(names):
            fold = number * _FOLDS // _PEOPLE + 1
            other = names[(number + 1) % _PEOPLE]
            lines.writerow((fold, 1, _photo(name, 1), _photo(name, 2)))
            lines.writerow((fold, 0, _photo(name, 1), _photo(other, 2)))
    return root


@cache
def smoke_photos_folder() -> Path:
    """A folder with a group photo of all "people"."""
    root = _temporary_folder()
    columns = 5
    photo = Image.new("RGB", (columns * PHOTO_SIDE_PX, -(-_PEOPLE // columns) * PHOTO_SIDE_PX))
    for person in range(_PEOPLE):
        row, column = divmod(person, columns)
        photo.paste(_portrait(person, 0), (column * PHOTO_SIDE_PX, row * PHOTO_SIDE_PX))
    (root / "group.jpg").write_bytes(encoded(photo))
    return root


def _photo(name: str, number: int) -> str:
    return f"{name}/{name}_{number:04d}.jpg"


def _portrait(person: int, place: int) -> Image.Image:
    """A photo of a "person": one of two faces, made wider or narrower."""
    face = (astronaut().crop((100, 0, 356, 256)), hopper().crop((100, 0, 450, 350)))[person % 2]
    width = int(300 * (0.8 + 0.4 * person / _PEOPLE))
    stretched = face.resize((width, 300), Image.Resampling.BICUBIC)
    turned = stretched.rotate(2.0 * place - 3.0, Image.Resampling.BICUBIC)
    shown = ImageEnhance.Brightness(turned).enhance(0.8 + 0.1 * place)
    return ImageOps.fit(shown, (PHOTO_SIDE_PX, PHOTO_SIDE_PX), Image.Resampling.BICUBIC)


def _temporary_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="vultus-smoke-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
