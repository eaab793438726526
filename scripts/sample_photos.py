"""Write sample photos of two people, from photos that scikit-image and matplotlib ship.

    python -m scripts.sample_photos photos

Eileen Collins and Grace Hopper, two photos each. The second ones are the first as another camera
might have taken them: mirrored, darker, smaller. `group.jpg` shows both.
"""

import sys
from pathlib import Path

from PIL import Image, ImageEnhance, ImageOps

from tests import photos


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, photo in (("eileen", photos.astronaut()), ("grace", photos.hopper())):
        photo.save(folder / f"{name}.jpg", quality=95)
        _another(photo).save(folder / f"{name}_again.jpg", quality=90)
    photos.group().save(folder / "group.jpg", quality=95)
    print(f"{folder}/: {', '.join(sorted(path.name for path in folder.glob('*.jpg')))}")


def _another(photo: Image.Image) -> Image.Image:
    smaller = ImageOps.mirror(photo).resize((photo.width * 3 // 4, photo.height * 3 // 4))
    return ImageEnhance.Brightness(smaller).enhance(0.8)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "photos"))
