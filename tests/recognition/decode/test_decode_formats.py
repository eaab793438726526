"""Every format of the list decodes to the picture that was put in."""

import numpy as np
import pytest
from PIL import Image

from app.errors import ImageUnreadable
from app.recognition.decode.file_kinds import FORMATS
from tests.kit.photos import coffee, encoded, pixels
from tests.recognition.pictures import decoded, distance, small


def test_all_formats_are_there() -> None:
    assert set(FORMATS) == {"JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "HEIF", "JPEG2000"}


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("PNG", {}),
        ("PNG", {"compress_level": 0}),
        ("BMP", {}),
        ("WEBP", {"lossless": True}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "tiff_adobe_deflate"}),
        ("TIFF", {"compression": "packbits"}),
        ("TIFF", {"big_tiff": True}),
    ],
    ids=str,
)
def test_a_lossless_file_gives_every_pixel_back(form: str, options: dict[str, object]) -> None:
    np.testing.assert_array_equal(decoded(encoded(small(), form, **options)), pixels(small()))


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("JPEG", {"quality": 95}),
        ("JPEG", {"quality": 95, "progressive": True}),
        ("WEBP", {"quality": 95}),
        ("AVIF", {"quality": 95}),
        ("GIF", {}),
        ("TIFF", {"compression": "jpeg", "quality": 95}),
    ],
    ids=str,
)
def test_a_lossy_file_gives_the_picture_back(form: str, options: dict[str, object]) -> None:
    assert distance(decoded(encoded(small(), form, **options)), pixels(small())) < 6


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "AVIF", "TIFF", "MPO"])
def test_of_several_frames_the_first_is_taken(form: str) -> None:
    second = coffee().resize(small().size)
    data = encoded(small(), form, save_all=True, append_images=[second])
    assert data != encoded(small(), form)
    found = decoded(data)
    assert distance(found, pixels(small())) < 10 < distance(found, pixels(second)) / 5


def test_a_gif_frame_smaller_than_its_screen_keeps_its_place() -> None:
    screen = Image.new("L", (96, 64), 255)
    screen.paste(small().convert("L").crop((10, 5, 50, 45)), (10, 5))
    data = bytearray(encoded(small().convert("L").crop((10, 5, 50, 45)), "GIF"))
    data[6:10] = (96).to_bytes(2, "little") + (64).to_bytes(2, "little")
    descriptor = data.index(b"\x2c\0\0\0\0")
    data[descriptor + 1 : descriptor + 5] = b"\x0a\0\x05\0"
    found = decoded(bytes(data))
    np.testing.assert_array_equal(found[5:45, 10:50], pixels(screen)[5:45, 10:50])
    assert found.shape == (64, 96, 3)


@pytest.mark.parametrize("form", ["PPM", "ICO", "TGA"])
def test_formats_off_the_list_are_named_and_refused(form: str) -> None:
    with pytest.raises(ImageUnreadable, match=rf"known format, but .* \({form}\)") as caught:
        decoded(encoded(small(), form))
    for name in FORMATS:
        assert name in str(caught.value)
