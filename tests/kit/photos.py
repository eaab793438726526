"""Real photos that packages ship, and what can be made of them.

The astronaut (Eileen Collins, scikit-image) and Grace Hopper (matplotlib) have one face each; a cup
of coffee (scikit-image) has none. Second photos of a person are made by the changes that another
camera would bring: mirrored, darker, turned a little, smaller, recompressed.
"""

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import skimage
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps

Rgb = NDArray[np.uint8]


@cache
def _opened(path: Path) -> Image.Image:
    """Hand out copies of it: Pillow keeps the options of a `save` in the picture, for the next."""
    with Image.open(path) as image:
        return image.convert("RGB")


def astronaut() -> Image.Image:
    """512 x 512, one face."""
    return _opened(Path(skimage.__file__).parent / "data" / "astronaut.png").copy()


def hopper() -> Image.Image:
    """512 x 600, one face."""
    return _opened(Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg").copy()


def coffee() -> Image.Image:
    """600 x 400, no face."""
    return _opened(Path(skimage.__file__).parent / "data" / "coffee.png").copy()


def another_photo(person: Image.Image) -> Image.Image:
    """The same person as another camera might have taken them."""
    turned = ImageOps.mirror(person).rotate(6, resample=Image.Resampling.BICUBIC)
    smaller = turned.resize((int(person.width * 0.8), int(person.height * 0.8)))
    return ImageEnhance.Brightness(smaller).enhance(0.8)


def group() -> Image.Image:
    """Both people side by side: two faces."""
    left, right = astronaut(), hopper()
    canvas = Image.new("RGB", (left.width + right.width, max(left.height, right.height)), "gray")
    canvas.paste(left, (0, 0))
    canvas.paste(right, (left.width, 0))
    return canvas


def opened(data: bytes) -> Image.Image:
    """The picture of a file as it is stored, whatever its EXIF says."""
    with Image.open(BytesIO(data)) as image:
        return image.convert("RGB")


def pixels(image: Image.Image) -> Rgb:
    return np.array(image.convert("RGB"))


def encoded(image: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    """The image file's bytes."""
    if form == "JPEG":
        options.setdefault("quality", 95)
    buffer = BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()
