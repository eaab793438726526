"""The real detector, and crops it leads to."""

from collections.abc import Sequence

import pytest
from PIL import Image

from app.recognition.align import align
from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.device import limit_threads
from app.recognition.types import Pixels
from models.zoo.network import Network
from tests.kit.detectors import make_detector
from tests.kit.photos import another_photo, astronaut, hopper, pixels


@pytest.fixture(scope="session")
def detector() -> CopyingDetector:
    """The detector with default settings, on one CPU thread."""
    limit_threads(1)
    return make_detector()


@pytest.fixture(scope="session")
def crops(detector: CopyingDetector, network: Network) -> Sequence[Pixels]:
    """Crops for the default network: the astronaut, another photo of her, Hopper, another of
    her."""

    def crop(photo: Image.Image) -> Pixels:
        (face,) = detector.detect(pixels(photo))
        return align(pixels(photo), face.landmarks, network.spec.input)

    people = (astronaut(), hopper())
    return [crop(photo) for person in people for photo in (person, another_photo(person))]
