"""Write sample photos of two people, from photos that scikit-image and matplotlib ship.

    python scripts/sample_photos.py photos

Eileen Collins and Grace Hopper, two photos each. The second ones are the first as another camera
might have taken them: mirrored, darker, smaller. `group.jpg` shows both.
"""

import sys
from pathlib import Path

import matplotlib as mpl
import skimage
from PIL import Image, ImageEnhance, ImageOps

SOURCES = {
    "eileen": Path(skimage.__file__).parent / "data" / "astronaut.png",
    "grace": Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg",
}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    people = {name: Image.open(path).convert("RGB") for name, path in SOURCES.items()}
    for name, photo in people.items():
        photo.save(folder / f"{name}.jpg", quality=95)
        _another(photo).save(folder / f"{name}_again.jpg", quality=90)
    _side_by_side(list(people.values())).save(folder / "group.jpg", quality=95)
    print(f"{folder}/: {', '.join(sorted(path.name for path in folder.glob('*.jpg')))}")


def _another(photo: Image.Image) -> Image.Image:
    smaller = ImageOps.mirror(photo).resize((photo.width * 3 // 4, photo.height * 3 // 4))
    return ImageEnhance.Brightness(smaller).enhance(0.8)


def _side_by_side(photos: list[Image.Image]) -> Image.Image:
    width, height = sum(photo.width for photo in photos), max(photo.height for photo in photos)
    group, left = Image.new("RGB", (width, height), "gray"), 0
    for photo in photos:
        group.paste(photo, (left, 0))
        left += photo.width
    return group


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "photos"))
