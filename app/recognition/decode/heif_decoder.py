"""HEIF to pixels; the decoder turns them upright and reduces them to 8 bits."""

import numpy as np
import pi_heif
from PIL import Image

from app.recognition.decode.faults import require_pixels
from app.recognition.decode.picture import Picture, choose_frame
from app.recognition.decode.samples import to_rgb
from app.recognition.types import Pixels


def decode_heif(data: bytes, *, max_pixels: int) -> Picture:
    """Decode the primary picture; if it is blank, the first picture that is not.

    Raises ImageTooLarge for a size over the limit that only the decoder sees, and the errors of the
    decoder.
    """
    pi_heif.options.THUMBNAILS = False
    pi_heif.options.DEPTH_IMAGES = False
    pi_heif.options.AUX_IMAGES = False
    file = pi_heif.open_heif(data, convert_hdr_to_8bit=True)
    first = file.primary_index

    def render(number: int) -> Picture:
        image = file[first if number == 0 else number - 1 if number <= first else number]
        require_pixels(image.size[0], image.size[1], max_pixels)
        return Picture(_pixels(image))

    return choose_frame(len(file), render)


def _pixels(image: pi_heif.HeifImage) -> Pixels:
    if image.mode == "RGB":
        # Not by Pillow, whose pixels have four bytes. A copy, as the decoder frees its own pixels.
        return np.array(np.asarray(image)[:, : image.size[0]], dtype=np.uint8)
    return to_rgb(Image.fromarray(np.asarray(image)[:, : image.size[0]], image.mode))
