"""Formats that Pillow decodes without further steps, to pixels."""

from collections.abc import Callable
from io import BytesIO

from PIL import ExifTags, Image

from app.recognition.decode.exif_orientation import find_orientation
from app.recognition.decode.faults import require_pixels
from app.recognition.decode.file_kinds import FileKind
from app.recognition.decode.picture import Picture, choose_frame, finish

# Pillow's own guard raises at fixed sizes; here the limit on pixels is checked before decoding.
Image.MAX_IMAGE_PIXELS = None


def decode_with_pillow(kind: FileKind, data: bytes, *, max_pixels: int) -> Picture:
    """Decode the first frame that shows something.

    Raises ImageTooLarge for a size over the limit that only the decoder sees, and the errors of the
    decoder.
    """
    image = Image.open(BytesIO(data), formats=(kind.value,))
    require_pixels(image.width, image.height, max_pixels)
    frames: int = getattr(image, "n_frames", 1)
    return choose_frame(frames, _renderer(kind, image, max_pixels))


def _renderer(kind: FileKind, image: Image.Image, max_pixels: int) -> Callable[[int], Picture]:
    def render(number: int) -> Picture:
        if number:  # the first frame is open already; seeking it would decode it twice
            image.seek(number)
            require_pixels(image.width, image.height, max_pixels)
        image.load()
        return finish(image, _orientation(kind, image))

    return render


def _orientation(kind: FileKind, image: Image.Image) -> int:
    if kind is FileKind.AVIF:
        # Pillow writes the rotation of the container there.
        noted = image.getexif().get(ExifTags.Base.Orientation)
        return noted if isinstance(noted, int) and 1 <= noted <= 8 else 1
    if kind is FileKind.WEBP:
        return find_orientation(image.info.get("exif"), image.info.get("xmp"))
    return 1  # the other formats have none
