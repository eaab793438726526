"""The port is dlib's network: same file, same embeddings."""

from collections import Counter
from pathlib import Path

import dlib
import face_recognition_models
import numpy as np
import pytest
from PIL import Image

from app.recognition.align import align
from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.device import limit_threads
from models.zoo.errors import WeightsInvalidError, WeightsMissingError
from models.zoo.network import Crops, Network
from models.zoo.networks.dlib_format import read_layers
from models.zoo.networks.dlib_weights import SHA256, load
from models.zoo.registry import DLIB_RESNET, LoadOptions, load_network
from tests.kit.detectors import make_detector
from tests.kit.photos import Rgb, another_photo, astronaut, hopper, pixels

_FILE = Path(face_recognition_models.face_recognition_model_location())
_PHOTOS = (astronaut(), another_photo(astronaut()), hopper(), another_photo(hopper()))


@pytest.fixture(scope="module")
def detector() -> CopyingDetector:
    limit_threads(1)
    return make_detector()


@pytest.fixture(scope="module")
def chips(detector: CopyingDetector) -> Crops:
    """Our own crops of every photo."""
    faces = [detector.detect(pixels(photo))[0] for photo in _PHOTOS]
    return np.stack(
        [
            align(pixels(photo), face.landmarks, DLIB_RESNET.input)
            for photo, face in zip(_PHOTOS, faces, strict=True)
        ]
    )


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """In float32, as dlib computes."""
    folder = tmp_path_factory.mktemp("weights")
    return load_network("dlib-resnet", LoadOptions("cpu", half=False, weights_dir=folder))


def test_embeddings_equal_dlibs_own(network: Network, chips: Crops) -> None:
    model = dlib.face_recognition_model_v1(str(_FILE))
    noise = np.random.default_rng(0).integers(0, 256, (1, 150, 150, 3), dtype=np.uint8)
    extremes = np.stack([np.zeros((150, 150, 3)), np.full((150, 150, 3), 255)]).astype(np.uint8)
    inputs = np.concatenate([chips, noise, extremes])
    expected = [model.compute_face_descriptor(chip) for chip in inputs]
    found = network.forward(inputs)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=0)


def _dlib_chip(photo: Image.Image) -> Rgb:
    """As dlib itself finds, aligns and cuts the largest face."""
    picture = pixels(photo)
    box = max(dlib.get_frontal_face_detector()(picture, 1), key=dlib.rectangle.area)
    shape = dlib.shape_predictor(face_recognition_models.pose_predictor_five_point_model_location())
    return np.asarray(dlib.get_face_chip(picture, shape(picture, box), size=150, padding=0.25))


def test_our_crops_are_as_good_as_dlibs_own(network: Network, chips: Crops) -> None:
    ours = network.forward(chips)
    theirs = network.forward(np.stack([_dlib_chip(photo) for photo in _PHOTOS]))
    ours /= np.linalg.norm(ours, axis=1, keepdims=True)
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    alike = ours @ theirs.T
    assert np.diag(alike).min() > 0.97
    assert alike[:2, 2:].max() < 0.95


def test_the_file_has_29_convolutions_and_its_published_number_of_parameters() -> None:
    layers = list(read_layers(_FILE.read_bytes()))
    assert Counter(layer.tag for layer in layers) == {"con_4": 29, "affine_": 29, "fc_2": 1}
    assert sum(layer.values.size for layer in layers) == 5_614_592


def test_every_parameter_of_the_file_is_in_the_network() -> None:
    layers = list(read_layers(_FILE.read_bytes()))
    weights, digest = load(_FILE)
    folded_away = sum(layer.values.size for layer in layers if layer.tag == "affine_")
    in_file = sum(layer.values.size for layer in layers)
    assert sum(values.size for values in weights.arrays.values()) == in_file - folded_away
    assert digest == SHA256


def test_the_digest_is_that_of_the_published_file(network: Network) -> None:
    assert network.digest == SHA256
    assert network.spec == DLIB_RESNET


@pytest.mark.parametrize("content", [b"", b"not a network", _FILE.read_bytes()[:-1]])
def test_another_file_is_refused_by_its_digest(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "network.dat"
    path.write_bytes(content)
    with pytest.raises(WeightsInvalidError, match=SHA256) as caught:
        load_network(
            "dlib-resnet", LoadOptions("cpu", False, weights_dir=tmp_path, weights_path=path)
        )
    assert str(path) in str(caught.value)


def test_a_missing_file_is_told_with_its_remedy(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.dat"
    with pytest.raises(WeightsMissingError, match="there is no weights file") as caught:
        load_network(
            "dlib-resnet", LoadOptions("cpu", False, weights_dir=tmp_path, weights_path=path)
        )
    assert caught.value.option == "weights_path"
