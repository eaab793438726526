"""Bytes from anyone: a picture or a refusal, never another error."""

from io import BytesIO
from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from app.errors import ImageTooLarge, ImageUnreadable
from app.recognition.decode.file_kinds import FORMATS
from app.recognition.decode.photo_file import decode
from tests.kit.photos import astronaut, encoded
from tests.recognition.pictures import PLENTY, decoded, small

_CAP = 100_000

_WHOLE: Final = {
    "jpeg": encoded(astronaut().resize((24, 16))),
    "progressive": encoded(astronaut().resize((24, 16)), progressive=True),
    "png": encoded(astronaut().resize((24, 16)), "PNG"),
    "webp": encoded(astronaut().resize((24, 16)), "WEBP"),
    "bmp": encoded(astronaut().resize((24, 16)), "BMP"),
    "tiff": encoded(astronaut().resize((24, 16)), "TIFF"),
    "gif": encoded(astronaut().resize((24, 16)), "GIF"),
    "avif": encoded(astronaut().resize((24, 16)), "AVIF"),
}

_MAGIC: Final = [
    b"\xff\xd8\xff\xe0",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"BM",
    b"II*\0\x08\0\0\0",
    b"MM\0*\0\0\0\x08",
    b"RIFF\x40\0\0\0WEBPVP8 ",
    b"\0\0\0\x1cftypavif",
]


def _picture_or_refusal(data: bytes) -> None:
    try:
        picture = decode(data, max_pixels=_CAP)
    except (ImageUnreadable, ImageTooLarge):
        return
    assert picture.dtype == np.uint8
    assert picture.ndim == 3
    assert picture.shape[2] == 3
    assert 0 < picture.shape[0] * picture.shape[1] <= _CAP


@settings(max_examples=300, deadline=None, derandomize=True)
@given(start=st.sampled_from([b"", *_MAGIC]), rest=st.binary(max_size=200))
def test_any_bytes_give_a_picture_or_a_refusal(start: bytes, rest: bytes) -> None:
    _picture_or_refusal(start + rest)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's words about the damage
@pytest.mark.parametrize("form", _WHOLE)
@settings(max_examples=150, deadline=None, derandomize=True)
@given(damage=st.data())
def test_a_damaged_file_gives_a_picture_or_a_refusal(form: str, damage: st.DataObject) -> None:
    data = bytearray(_WHOLE[form])
    places = st.integers(0, len(data) - 1)
    for place, value in damage.draw(
        st.dictionaries(places, st.integers(0, 255), min_size=1, max_size=8)
    ).items():
        data[place] = value
    _picture_or_refusal(bytes(data))


@pytest.mark.parametrize("form", sorted(set(_WHOLE) - {"progressive", "png"}))
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_truncated_file_of_few_rows_is_unreadable(form: str, share: float) -> None:
    data = _WHOLE[form]
    with pytest.raises(ImageUnreadable):
        decoded(data[: int(len(data) * share)])


@pytest.mark.parametrize("form", _WHOLE)
def test_the_same_file_untouched_is_readable(form: str) -> None:
    assert decoded(_WHOLE[form]).shape == (16, 24, 3)


@pytest.mark.parametrize(
    "data",
    [b"", b"\0", b"Dear Sir or Madam,", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7"],
)
def test_what_is_no_image_is_unreadable_and_the_answer_names_the_formats(data: bytes) -> None:
    with pytest.raises(ImageUnreadable) as caught:
        decoded(data)
    for name in FORMATS:
        assert name in str(caught.value)


def test_a_truncated_file_is_distinguished_from_an_unknown_one() -> None:
    with pytest.raises(ImageUnreadable, match="holds 0 of 16 rows") as caught:
        decoded(_WHOLE["jpeg"][:-200])
    assert "original file" in str(caught.value)


def test_bytes_after_the_image_do_no_harm() -> None:
    for data in _WHOLE.values():
        np.testing.assert_array_equal(decoded(data + b"trailing" * 50), decoded(data))


def test_refusing_a_picture_leaves_no_limit_behind_in_pillow() -> None:
    with pytest.raises(ImageTooLarge):
        decode(encoded(small()), max_pixels=10)
    with Image.open(BytesIO(encoded(small()))) as image:
        image.load()
    assert decode(encoded(small()), max_pixels=PLENTY).shape == (64, 96, 3)
