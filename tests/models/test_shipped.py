"""The network that ships is the file its card tells of, loads offline, and knows people."""

from pathlib import Path

import numpy as np
import pytest
import torch

from app.recognition.build import build_recognizer
from app.recognition.select import only_face
from app.settings import Settings
from models.zoo.errors import WeightsInvalidError
from models.zoo.registry import LoadOptions, load_network
from models.zoo.shipped import FOLDER, shipped_card
from models.zoo.weights_file import read_weights
from tests.photos import another_photo, astronaut, encoded, hopper

NAME = "vultus-resnet"


def test_its_weights_are_small_and_those_of_its_card() -> None:
    file = FOLDER / f"{NAME}.safetensors"
    saved = read_weights(file)
    card = shipped_card(NAME)
    assert saved.digest == card.digest
    assert saved.recipe == card.recipe
    assert {tensor.dtype for tensor in saved.state.values()} == {torch.float16}
    assert file.stat().st_size < 12_000_000


def test_its_card_tells_what_was_measured_and_on_whom() -> None:
    card = shipped_card(NAME)
    assert set(card.figures) == {"test", "test_before"}
    assert card.data["tuned_on"]["people"] > card.data["figures_of"]["train"]["people"]
    calibration = card.spec().calibration
    assert calibration is not None
    assert (calibration.embedder, calibration.digest) == (NAME, card.digest)
    assert "tuned on other people" in calibration.source
    assert "Labeled Faces in the Wild" in card.license


async def test_it_tells_two_people_apart_at_its_own_threshold(tmp_path: Path) -> None:
    settings = Settings(device="cpu", embedder=NAME, data_dir=tmp_path)
    network = load_network(NAME, LoadOptions("cpu", half=False, weights_dir=tmp_path))
    recognizer = build_recognizer(settings, network)
    try:
        eileen, again, grace = [
            (await recognizer.embed(encoded(photo), only_face)).faces[0].embedding
            for photo in (astronaut(), another_photo(astronaut()), hopper())
        ]
    finally:
        recognizer.stop()
    calibration = network.spec.calibration
    assert calibration is not None
    threshold = calibration.threshold(1e-3)
    assert float(eileen @ again) > threshold > float(eileen @ grace)


def test_it_takes_no_other_weights(tmp_path: Path) -> None:
    options = LoadOptions("cpu", half=False, weights_dir=tmp_path, weights_path=tmp_path / "own.pt")
    with pytest.raises(WeightsInvalidError, match="takes no other file"):
        load_network(NAME, options)


def test_it_is_another_network_than_the_default_one(tmp_path: Path) -> None:
    crops = np.random.default_rng(0).integers(0, 256, (1, 150, 150, 3), dtype=np.uint8)
    options = LoadOptions("cpu", half=False, weights_dir=tmp_path)
    tuned, plain = (load_network(name, options) for name in (NAME, "dlib-resnet"))
    assert tuned.digest != plain.digest
    assert not np.allclose(tuned.forward(crops), plain.forward(crops), atol=1e-3)
