"""Every pixel that is in a file is read, and what is missing is said."""

from io import BytesIO
from typing import Any, Final

import cv2
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from app.errors import ImageInText, ImageUnreadable
from app.recognition.decode.photo_file import DecodeLimits, PhotoFile
from app.recognition.types import Photo
from tests.kit.photos import Rgb, astronaut, encoded, pixels
from tests.recognition.decode import hostile_files as hostile
from tests.recognition.pictures import PLENTY, decoded, distance, gray_values, repeated, small


def _read(data: bytes) -> Photo:
    return PhotoFile(data, DecodeLimits(max_pixels=PLENTY)).read()


def _tiff(samples: NDArray[Any], **options: Any) -> bytes:
    buffer = BytesIO()
    tifffile.imwrite(buffer, samples, **options)
    return buffer.getvalue()


def _colour() -> Rgb:
    """Add a white pixel, so that each range is used to its end."""
    values = pixels(small())
    values[0, 0] = 255
    return values


_WIDE: Final[dict[str, NDArray[Any]]] = {
    "u2": _colour().astype(np.uint16) * 257,
    "u2 of 12 bits": (_colour() * (4_095 / 255)).round().astype(np.uint16),
    "u4": _colour().astype(np.uint32) * 16_843_009,
    "i4": _colour().astype(np.int32),
    "f2": (_colour() / 255).astype(np.float16),
    "f4 to 1": (_colour() / 255).astype(np.float32),
    "f4 to 255": _colour().astype(np.float32),
    "f4 to 65535": _colour().astype(np.float32) * 257,
    "f8": _colour() / 255,
}


@pytest.mark.parametrize("kind", _WIDE)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zlib"},
        {"compression": "zlib", "predictor": True, "rowsperstrip": 10},
        {"tile": (32, 16)},
        {"tile": (32, 48), "compression": "zlib", "predictor": True},
        {"byteorder": ">"},
        {"bigtiff": True},
    ],
    ids=["plain", "zlib", "predictor", "tiles", "tiles-predictor", "big-endian", "bigtiff"],
)
def test_all_channels_of_a_wide_tiff_are_read(kind: str, options: dict[str, Any]) -> None:
    if kind.startswith("f"):  # see below: tifffile writes no differences of floats
        options = options | {"predictor": None}
    found = decoded(_tiff(_WIDE[kind], photometric="rgb", **options))
    np.testing.assert_allclose(found, _colour(), atol=1)


@pytest.mark.parametrize("predictor", [1, 3])
def test_differences_of_floats_are_added_up(predictor: int) -> None:
    samples = np.ascontiguousarray(_WIDE["f4 to 1"][:, :, ::-1])
    options = [cv2.IMWRITE_TIFF_COMPRESSION, 8, cv2.IMWRITE_TIFF_PREDICTOR, predictor]
    _, data = cv2.imencode(".tiff", samples, options)
    np.testing.assert_allclose(decoded(data.tobytes()), _colour(), atol=1)


@pytest.mark.parametrize("kind", ["u2", "f4 to 1"])
def test_channels_that_are_stored_apart_are_put_together(kind: str) -> None:
    planes = np.moveaxis(_WIDE[kind], 2, 0)
    data = _tiff(planes, photometric="rgb", planarconfig="separate", rowsperstrip=10)
    np.testing.assert_allclose(decoded(data), _colour(), atol=1)


def test_a_highlight_far_above_the_range_does_not_make_a_float_picture_black() -> None:
    samples = (_colour() / 255).astype(np.float32)
    samples[10, 10] = 900.0
    found = decoded(_tiff(samples, photometric="rgb"))
    expected = _colour()
    expected[10, 10] = 255
    np.testing.assert_allclose(found, expected, atol=1)


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
def test_jpeg_2000_is_read_with_and_without_boxes(mode: str, bare: bool) -> None:
    stored = small().convert(mode)
    data = encoded(stored, "JPEG2000", no_jp2=bare)
    np.testing.assert_array_equal(decoded(data), pixels(stored))


def test_jpeg_2000_of_12_bits_is_scaled() -> None:
    wide = (gray_values() * (4_095 / 255)).round().astype(np.uint16)
    found = decoded(encoded(Image.fromarray(wide), "JPEG2000"))
    np.testing.assert_allclose(found, repeated(gray_values()), atol=1)


_LARGER: Final = astronaut().resize((256, 256))


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("missing", [1, 2])
def test_a_jpeg_without_its_end_marker_is_whole(progressive: bool, missing: int) -> None:
    data = encoded(_LARGER, progressive=progressive)
    photo = _read(data[:-missing])
    assert photo.size.rows_decoded is None
    np.testing.assert_array_equal(photo.pixels, decoded(data))


def test_a_jpeg_without_end_marker_may_have_restarts_and_bytes_behind_it() -> None:
    data = encoded(_LARGER, restart_marker_rows=1)
    for without in (data[:-2], data[:-2] + b"\r\n--boundary--"):
        photo = _read(without)
        assert photo.size.rows_decoded is None
        assert distance(photo.pixels, decoded(data)) < 1


@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_cut_jpeg_gives_its_rows_and_says_how_many(share: float, filled: bool) -> None:
    data = encoded(_LARGER)
    length = int(len(data) * share)
    photo = _read(data[:length] + bytes(len(data) - length) * filled)
    rows = photo.size.rows_decoded
    assert rows is not None
    assert 256 * share - 40 < rows < 256 * share + 40
    np.testing.assert_array_equal(photo.pixels[: rows - 1], decoded(data)[: rows - 1])
    assert (photo.pixels[rows:] == 128).all()


def test_a_progressive_jpeg_without_its_last_scans_has_all_rows() -> None:
    data = encoded(_LARGER, progressive=True)
    photo = _read(data[: len(data) // 2])
    assert photo.size.rows_decoded is None
    assert distance(photo.pixels, pixels(_LARGER)) < 10


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_cut_png_gives_its_rows_and_says_how_many(mode: str, share: float) -> None:
    stored = _LARGER.convert(mode)
    data = encoded(stored, "PNG")
    photo = _read(data[: int(len(data) * share)])
    rows = photo.size.rows_decoded
    assert rows is not None
    assert 60 < rows < 256
    np.testing.assert_array_equal(photo.pixels[:rows], pixels(stored)[:rows])
    assert (photo.pixels[rows:] == 128).all()


@pytest.mark.parametrize("missing", [4, 12, 16])
def test_a_png_without_its_end_is_whole(missing: int) -> None:
    photo = _read(hostile.PNG[:-missing])
    assert photo.size.rows_decoded is None
    np.testing.assert_array_equal(photo.pixels, pixels(small()))


def test_a_png_that_is_damaged_in_the_middle_is_read_up_to_there() -> None:
    data = bytearray(encoded(_LARGER, "PNG"))
    data[len(data) // 2] ^= 0xFF
    rows = _read(bytes(data)).size.rows_decoded
    assert rows is not None
    assert 80 < rows < 200


def test_a_file_of_few_rows_is_refused_with_their_number() -> None:
    data = encoded(_LARGER.resize((256, 1_024)))
    with pytest.raises(ImageUnreadable, match=r"holds \d+ of 1024 rows"):
        _read(data[: len(data) // 40])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_part_that_is_there_turns_with_the_photo(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(_LARGER.resize((256, 192)), exif=exif)
    photo = _read(data[: len(data) // 2])
    height, width = photo.pixels.shape[:2]
    left, top, right, bottom = photo.part_there
    assert photo.size.rows_decoded is not None
    missing = (photo.pixels == 128).all(axis=2)
    there = np.zeros((height, width), dtype=bool)
    there[
        round(top * height) : round(bottom * height), round(left * width) : round(right * width)
    ] = True
    assert there.mean() == pytest.approx(photo.size.rows_decoded / 192, abs=0.01)
    assert missing[~there].all()
    assert missing[there].mean() < 0.05
    assert not photo.holds((0, 0, width, height))


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("colour", ["white", "black"])
def test_blank_frames_are_passed_over_and_counted(form: str, colour: str) -> None:
    blank = Image.new("RGB", small().size, colour)
    other = Image.new("RGB", small().size, "gray")
    data = encoded(blank, form, save_all=True, append_images=[other, small(), blank])
    photo = _read(data)
    assert (photo.size.frames, photo.size.frame_used) == (4, 2)
    assert distance(photo.pixels, pixels(small())) < 10


@pytest.mark.parametrize("colour", ["white", "black"])
def test_blank_view_of_a_jpeg_of_several_is_passed_over(colour: str) -> None:
    blank = Image.new("RGB", small().size, colour)
    photo = _read(encoded(blank, "MPO", save_all=True, append_images=[blank, small()]))
    assert (photo.size.frames, photo.size.frame_used) == (3, 2)
    assert distance(photo.pixels, pixels(small())) < 10


def test_a_smaller_picture_behind_a_jpeg_is_no_frame() -> None:
    """Pictures of another size, such as gain maps of phones, are no views."""
    blank = Image.new("RGB", small().size, "white")
    smaller = small().resize((small().width // 2, small().height // 2))
    photo = _read(encoded(blank, "MPO", save_all=True, append_images=[smaller]))
    assert (photo.size.frames, photo.size.frame_used) == (1, 0)


def test_a_damaged_view_behind_a_jpeg_does_no_harm() -> None:
    blank = Image.new("RGB", small().size, "white")
    data = encoded(blank, "MPO", save_all=True, append_images=[small()])
    second = data.rindex(b"\xff\xd8\xff")
    for end in (second, second + 30, second + 700):
        photo = _read(data[:end])
        assert photo.size.frame_used == 0
        assert (photo.pixels == 255).all()


def test_of_blank_frames_alone_the_first_is_taken() -> None:
    blank = Image.new("RGB", small().size, "white")
    others = [Image.new("RGB", small().size, colour) for colour in ("black", "gray")]
    photo = _read(encoded(blank, "TIFF", save_all=True, append_images=others))
    assert (photo.size.frames, photo.size.frame_used) == (3, 0)
    assert (photo.pixels == 255).all()


def test_bytes_before_a_photo_are_passed_over() -> None:
    head = b"\r\n--boundary\r\nContent-Type: image/jpeg\r\n\r\n"
    np.testing.assert_array_equal(decoded(head + hostile.JPEG), decoded(hostile.JPEG))
    np.testing.assert_array_equal(decoded(head + hostile.PNG), pixels(small()))


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"%PDF-1.7 \n" + hostile.JPEG, "PDF"),
        (b"\xff\x0a" + bytes(40), "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "JPEG XL"),
        (b"<?xml version='1.0'?><svg/>", "SVG"),
        (b"  <SVG xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2", "video"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "video"),
        (b"\x1a\x45\xdf\xa3" + bytes(40), "video"),
        (b"RIFF\0\0\0\0AVI LIST", "video"),
        (b"8BPS\0\1", "Photoshop"),
        (b"\0\0\1\0\1\0", "ICO"),
        (b"PK\3\4" + bytes(30), "ZIP"),
        (b"/9j/4AAQSkZJRgABAQ", "base64"),
        (b"<!DOCTYPE html><html>", "web page"),
        (bytes(128) + b"DICM", "DICOM"),
    ],
)
def test_what_is_no_photo_is_called_by_its_name(data: bytes, name: str) -> None:
    with pytest.raises(ImageUnreadable, match=name) as caught:
        decoded(data)
    assert isinstance(caught.value, ImageInText) or "use one of JPEG, PNG" in str(caught.value)
