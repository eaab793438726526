"""Detectors are found by name, and what their cards say is so."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from app.errors import SettingUnusable
from app.recognition.build import build_detector
from app.recognition.detect.detector_registry import DETECTORS
from app.settings import DetectorSettings, Settings
from models.zoo.detectors.detector_cards import DETECTOR_CARDS
from models.zoo.detectors.mtcnn_weights import read_published


def test_every_card_has_an_entry_and_every_entry_its_card() -> None:
    assert list(DETECTORS) == list(DETECTOR_CARDS)
    assert all(DETECTORS[name].card is card for name, card in DETECTOR_CARDS.items())
    assert all(name == card.name for name, card in DETECTOR_CARDS.items())


def test_default_detector_has_a_card() -> None:
    assert Settings(device="cpu").detector.name in DETECTOR_CARDS


def test_weights_of_mtcnn_are_those_of_its_digest_to_the_bit() -> None:
    """The digest is that of facenet-pytorch's files; another package ships their values."""
    spec = find_spec("facenet_pytorch")
    if spec is None or spec.origin is None:
        pytest.skip("facenet-pytorch is not installed")
    folder = Path(spec.origin).parent / "data"
    files = [folder / name for name in ("pnet.pt", "rnet.pt", "onet.pt")]
    content = b"".join(path.read_bytes() for path in files)
    assert hashlib.sha256(content).hexdigest() == DETECTOR_CARDS["mtcnn"].digest
    for path, found in zip(files, read_published(), strict=True):
        expected = torch.load(path, map_location="cpu", weights_only=True)
        assert found.keys() == expected.keys()
        for name, values in expected.items():
            np.testing.assert_array_equal(found[name], values.numpy())


def test_every_detector_is_in_the_documents() -> None:
    text = (Path(__file__).parents[3] / "docs" / "photos.md").read_text(encoding="utf-8")
    assert all(f"\n| `{name}` |" in text for name in DETECTOR_CARDS)


def test_unknown_detector_stops_the_start_and_names_the_setting() -> None:
    chosen = Settings(device="cpu", detector=DetectorSettings(name="viola-jones"))
    with pytest.raises(SettingUnusable, match=r"no detector 'viola-jones'; there are .*mtcnn") as e:
        build_detector(chosen)
    assert e.value.setting == "VULTUS_DETECTOR__NAME"
