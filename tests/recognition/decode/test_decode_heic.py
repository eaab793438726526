"""HEIC, of which we have a decoder but no encoder.

portrait.heic is the small picture turned on its side, with the turn noted both in the container
and in EXIF, as phones write it; pillow-heif encoded it.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from app.errors import ImageTooLarge, ImageUnreadable
from tests.kit.photos import pixels
from tests.recognition.pictures import decoded, distance, small

_PORTRAIT = Path(__file__).parent / "portrait.heic"


def test_a_turned_heic_is_decoded_upright_and_turned_only_once() -> None:
    assert distance(decoded(_PORTRAIT.read_bytes()), pixels(small())) < 3


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2, 0.5, 0.9])
def test_a_truncated_heic_is_unreadable(share: float) -> None:
    data = _PORTRAIT.read_bytes()
    with pytest.raises(ImageUnreadable):
        decoded(data[: int(len(data) * share)])


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1", b"avif"])
def test_a_lone_file_type_box_is_unreadable(brand: bytes) -> None:
    with pytest.raises(ImageUnreadable):
        decoded(b"\0\0\0\x18ftyp" + brand + bytes(4) + b"mif1" + brand)


def test_the_size_that_a_heic_claims_is_checked_first() -> None:
    data = bytearray(_PORTRAIT.read_bytes())
    claim = data.index(b"ispe") + 8
    data[claim : claim + 8] = (50_000).to_bytes(4) * 2
    with pytest.raises(ImageTooLarge, match="50000 x 50000"):
        decoded(bytes(data))


_DAMAGE_EVERY_HEADER_BYTE = """
import sys
from app.errors import ImageTooLarge, ImageUnreadable
from app.recognition.decode.photo_file import decode

whole = sys.stdin.buffer.read()
for place in range(whole.index(b"mdat")):
    damaged = bytearray(whole)
    damaged[place] ^= 0xFF
    try:
        assert decode(bytes(damaged), max_pixels=1_000_000).shape[2] == 3
    except (ImageUnreadable, ImageTooLarge):
        pass
print("alive")
"""


def test_a_damaged_heic_never_ends_the_process() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _DAMAGE_EVERY_HEADER_BYTE],
        input=_PORTRAIT.read_bytes(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    *_, last = ended.stdout.splitlines()  # after the lines of the log
    assert (ended.returncode, last) == (0, b"alive"), ended.stderr.decode()[-500:]
