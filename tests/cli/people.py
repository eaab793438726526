"""A folder of people, as commands take it."""

from pathlib import Path

from PIL import Image, ImageEnhance, ImageOps

from tests.kit import photos


def write_two_people(folder: Path) -> Path:
    """Two people with three photos each, of which one has both, and a cup of coffee."""
    astronaut, hopper = _small(photos.astronaut()), _small(photos.hopper())
    contents = {
        "Eileen/1.jpg": astronaut,
        "Eileen/2.jpg": ImageOps.mirror(astronaut),
        "Eileen/3.jpg": _small(photos.coffee()),
        "Grace/1.jpg": hopper,
        "Grace/2.jpg": ImageEnhance.Brightness(hopper).enhance(0.7),
        "Grace/3.jpg": _small(photos.group()),
    }
    for name, image in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photos.encoded(image))
    return folder


def _small(image: Image.Image) -> Image.Image:
    return image.resize((image.width // 2, image.height // 2))
