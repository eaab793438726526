"""Crops are sealed: they open with their key, for their face, and as a whole only."""

from base64 import b64encode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from app.errors import StartupError
from app.gallery.store.repositories.crop_repository import MOST_BYTES
from app.operations.enroll.crop_vault import CropSealedOtherwiseError, CropVault
from app.recognition.types import WideCrop
from app.recognition.wide_crop import WIDE, cut_wide
from app.settings import Settings
from tests.kit import photos

KEY = bytes(range(32))
LANDMARKS = np.array([[200, 110], [250, 108], [228, 140], [205, 165], [248, 163]], np.float32)
CROP = cut_wide(photos.pixels(photos.astronaut()), LANDMARKS)


def test_crop_of_noise_stays_below_the_bound_of_what_is_read() -> None:
    noise = np.random.default_rng(1).integers(0, 256, CROP.pixels.shape, dtype=np.uint8)
    sealed = CropVault(KEY).seal("a" * 32, WideCrop(noise, CROP.landmarks))
    assert MOST_BYTES / 10 < len(sealed) < MOST_BYTES


def test_opened_jpeg_is_the_picture_of_the_crop() -> None:
    vault = CropVault(KEY)
    sealed = vault.seal("a" * 32, CROP)
    with Image.open(BytesIO(vault.open_jpeg("a" * 32, sealed))) as picture:
        assert picture.format == "JPEG"
        assert np.array_equal(np.asarray(picture), vault.open("a" * 32, sealed).pixels)


def test_sealed_crop_opens_as_it_was_but_for_the_jpeg() -> None:
    opened = CropVault(KEY).open("a" * 32, CropVault(KEY).seal("a" * 32, CROP))
    assert np.array_equal(opened.landmarks, CROP.landmarks)
    assert opened.pixels.shape == (WIDE.size_px, WIDE.size_px, 3)
    assert np.abs(opened.pixels.astype(float) - CROP.pixels).mean() < 2


def test_landmarks_lie_near_those_of_the_template() -> None:
    assert np.abs(CROP.landmarks - np.asarray(WIDE.template)).max() < 0.1 * WIDE.size_px


def test_no_two_seals_are_alike_and_none_shows_the_picture() -> None:
    vault = CropVault(KEY)
    first, second = vault.seal("a" * 32, CROP), vault.seal("a" * 32, CROP)
    assert first != second
    assert b"JFIF" not in first


@pytest.mark.parametrize("change", ["key", "face", "bit", "end"])
def test_anything_else_stays_closed(change: str) -> None:
    sealed = CropVault(KEY).seal("a" * 32, CROP)
    vault = CropVault(bytes(32) if change == "key" else KEY)
    if change == "bit":
        sealed = sealed[:500] + bytes([sealed[500] ^ 1]) + sealed[501:]
    elif change == "end":
        sealed = sealed[:-1]
    with pytest.raises(CropSealedOtherwiseError):
        vault.open("b" * 32 if change == "face" else "a" * 32, sealed)


def test_key_is_32_bytes_in_base64() -> None:
    assert CropVault.of(Settings(crops_key="")) is None
    vault = CropVault.of(Settings(crops_key=b64encode(KEY).decode()))
    assert vault is not None
    opened: WideCrop = CropVault(KEY).open("a" * 32, vault.seal("a" * 32, CROP))
    assert opened.pixels.size
    for wrong in ("short", b64encode(KEY[:16]).decode(), "!" * 44):
        with pytest.raises(StartupError, match="VULTUS_CROPS_KEY"):
            CropVault.of(Settings(crops_key=wrong))
