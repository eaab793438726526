"""Large JPEGs are decoded at a fraction of their size, where that is enough."""

from io import BytesIO

import numpy as np
import pytest
from PIL import ExifTags, Image

from app.recognition.decode.photo_file import DecodeLimits, PhotoFile
from app.recognition.types import ImageSize, Photo
from tests.kit.photos import astronaut, encoded


def _read(image: bytes, enough_px: int | None = None) -> Photo:
    return PhotoFile(image, DecodeLimits(max_pixels=10_000_000, enough_px=enough_px)).read()


LARGE = astronaut().resize((1600, 1200), Image.Resampling.BICUBIC)


@pytest.mark.parametrize(
    ("enough_px", "width"),
    [(None, 1600), (1600, 1600), (801, 1600), (800, 800), (300, 400), (1, 200)],
)
def test_the_longest_side_is_reduced_but_not_below_what_is_enough(
    enough_px: int | None, width: int
) -> None:
    photo = _read(encoded(LARGE), enough_px)
    assert photo.pixels.shape == (width * 3 // 4, width, 3)
    assert photo.size == ImageSize(1600, 1200)
    assert photo.factors == (1600 / width, 1600 / width)
    assert photo.is_reduced is (width < 1600)
    shrunk = np.asarray(LARGE.resize((width, width * 3 // 4), Image.Resampling.BOX), dtype=float)
    assert np.abs(photo.pixels - shrunk).mean() < 2


def test_sides_that_do_not_divide_keep_the_photos_size() -> None:
    photo = _read(encoded(LARGE.resize((1603, 1201))), 700)
    assert photo.size == ImageSize(1603, 1201)
    assert photo.pixels.shape == (601, 802, 3)


def test_a_turned_photo_has_its_upright_size() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    photo = _read(encoded(LARGE, exif=exif), 400)
    assert photo.size == ImageSize(1200, 1600)
    assert photo.pixels.shape == (400, 300, 3)
    assert photo.factors[0] == pytest.approx(photo.factors[1], rel=0.01)


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF"])
def test_other_formats_are_decoded_whole(form: str) -> None:
    photo = _read(encoded(LARGE, form), 200)
    assert photo.pixels.shape == (1200, 1600, 3)
    assert not photo.is_reduced


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_gray_and_cmyk_are_reduced_as_well(mode: str) -> None:
    photo = _read(encoded(LARGE.convert(mode)), 800)
    assert photo.pixels.shape == (600, 800, 3)


def test_a_file_of_several_pictures_shows_its_first() -> None:
    buffer = BytesIO()
    LARGE.save(buffer, "MPO", save_all=True, append_images=[Image.new("RGB", (160, 120))])
    photo = _read(buffer.getvalue(), 800)
    assert photo.size == ImageSize(1600, 1200)
    assert np.abs(photo.pixels - np.asarray(LARGE.resize((800, 600)), dtype=float)).mean() < 3


def test_the_reported_memory_follows_from_the_decoded_pixels() -> None:
    image = encoded(LARGE)
    whole = PhotoFile(image, DecodeLimits(max_pixels=10_000_000)).memory_bytes
    half = PhotoFile(image, DecodeLimits(max_pixels=10_000_000, enough_px=800)).memory_bytes
    assert whole == 4 * half >= 1600 * 1200 * 7
    png = PhotoFile(encoded(LARGE, "PNG"), DecodeLimits(max_pixels=10_000_000, enough_px=800))
    assert png.memory_bytes >= whole


@pytest.mark.parametrize("enough_px", [None, 800, 200])
def test_a_cut_file_reports_its_rows_at_any_size(enough_px: int | None) -> None:
    image = encoded(LARGE)
    whole, cut = _read(image), _read(image[: len(image) // 2], enough_px)
    rows = cut.size.rows_decoded
    assert rows is not None
    assert 400 < rows < 800
    assert (cut.size.width, cut.size.height) == (1600, 1200)
    there = rows * cut.pixels.shape[0] // 1200 - 2
    shrunk = np.asarray(
        Image.fromarray(whole.pixels).resize(cut.pixels.shape[1::-1], Image.Resampling.BOX)
    )
    assert np.abs(cut.pixels[:there] - shrunk[:there].astype(float)).mean() < 2
