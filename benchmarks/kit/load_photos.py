"""Photos to put load on with: bytes of image files, made beforehand."""

import random
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageEnhance, ImageOps

from benchmarks.kit.lfw_data import PHOTO_SIDE_PX, LfwData
from tests.kit.photos import astronaut, encoded, hopper

_LARGE = (4000, 3000)
_LARGE_QUALITY = 90
_SEED = 0


def portraits(data: LfwData | None, count: int) -> list[bytes]:
    """Different photos of one face each, 250 x 250: of LFW, or made from two that packages ship."""
    if data is None:
        return _made(count)
    photos = data.photos()
    random.Random(_SEED).shuffle(photos)
    return [(data.images / photo).read_bytes() for photo in photos[:count]]


def group_photos(folder: Path) -> list[bytes]:
    """All JPEG files of a folder, by their names."""
    return [path.read_bytes() for path in sorted(folder.glob("*.jpg"))]


def large(photo: bytes) -> bytes:
    """12 megapixels: enlarged until it covers 4000 x 3000, cut at the centre, JPEG 90."""
    with Image.open(BytesIO(photo)) as image:
        fitted = ImageOps.fit(image.convert("RGB"), _LARGE, Image.Resampling.LANCZOS)
    return encoded(fitted, quality=_LARGE_QUALITY)


def smaller(photo: bytes, side_px: int) -> bytes:
    """The middle of a portrait, where the face is, on so many pixels."""
    with Image.open(BytesIO(photo)) as image:
        picture = image.convert("RGB")
    margin = picture.width // 5
    middle = ImageOps.crop(picture, margin)
    return encoded(middle.resize((side_px, side_px), Image.Resampling.LANCZOS), quality=90)


def _made(count: int) -> list[bytes]:
    """Turned, darkened and shifted a little, no two alike."""
    generator = random.Random(_SEED)
    people = (
        ImageOps.fit(astronaut().crop((100, 0, 356, 256)), (300, 300)),
        ImageOps.fit(hopper().crop((100, 0, 450, 350)), (300, 300)),
    )
    made = []
    for number in range(count):
        picture = people[number % 2].rotate(generator.uniform(-6, 6), Image.Resampling.BICUBIC)
        left, top = generator.randint(5, 45), generator.randint(5, 45)
        cut = picture.crop((left, top, left + PHOTO_SIDE_PX, top + PHOTO_SIDE_PX))
        shown = ImageEnhance.Brightness(cut).enhance(generator.uniform(0.75, 1.2))
        made.append(encoded(shown, quality=90))
    return made
