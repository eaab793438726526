"""Networks are found by name, and what the zoo says of them is consistent."""

from pathlib import Path

import numpy as np
import pytest

from app.errors import NetworkNotAdded, SettingUnusable
from app.recognition.build import known_networks, load_configured_network, load_next_network
from app.settings import NextSettings, Settings
from models.zoo.errors import NotAddedError, UnknownNetworkError
from models.zoo.names import DEFAULT_NETWORK, FORMER_ONNX, ZOO_NAMES
from models.zoo.network import NetworkSpec
from models.zoo.registry import ZOO, LoadOptions, load_network

_SPECS = [entry.spec for entry in ZOO.values()]
_MEASURED = [spec for spec in _SPECS if spec.calibration]


def _name(spec: NetworkSpec) -> str:
    return spec.name


def test_the_zoo_has_every_network_that_users_are_told_of() -> None:
    assert list(ZOO) == [
        "dlib-resnet",
        "sface",
        "facenet-vggface2",
        "facenet-casia-webface",
    ]
    assert {name: spec.dimension for name, spec in zip(ZOO, _SPECS, strict=True)} == {
        "dlib-resnet": 128,
        "sface": 128,
        "facenet-vggface2": 512,
        "facenet-casia-webface": 512,
    }
    assert DEFAULT_NETWORK in ZOO
    assert set(ZOO_NAMES) == set(ZOO)


@pytest.mark.parametrize("spec", _SPECS, ids=_name)
def test_a_template_lies_inside_its_crop_and_looks_like_a_face(spec: NetworkSpec) -> None:
    points = np.asarray(spec.input.template)
    assert points.shape == (5, 2)
    assert (points > 0).all()
    assert (points < spec.input.size_px).all()
    left_eye, right_eye, nose, left_mouth, right_mouth = points
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < nose[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
    middle = (left_eye[0] + right_eye[0]) / 2
    assert middle == pytest.approx(spec.input.size_px / 2, rel=0.03)


@pytest.mark.parametrize("spec", _SPECS, ids=_name)
def test_normalised_pixels_are_of_order_one(spec: NetworkSpec) -> None:
    for mean, std in zip(spec.input.mean, spec.input.std, strict=True):
        extremes = np.abs((np.array([0, 255]) - mean) / std)
        assert 0.3 < extremes.max() < 3


@pytest.mark.parametrize("spec", _SPECS, ids=_name)
def test_a_network_has_a_description_and_a_licence(spec: NetworkSpec) -> None:
    assert spec.description
    assert spec.license


@pytest.mark.parametrize("spec", _MEASURED, ids=_name)
def test_a_stricter_false_match_rate_wants_a_higher_similarity(spec: NetworkSpec) -> None:
    assert spec.calibration
    thresholds = spec.calibration.thresholds()
    rates = sorted(thresholds, reverse=True)
    similarities = [thresholds[rate] for rate in rates]
    assert similarities == sorted(set(similarities))
    assert all(-1 < similarity < 1 for similarity in similarities)
    assert all(0 < rate < 1 for rate in rates)


@pytest.mark.parametrize("spec", _MEASURED, ids=_name)
def test_measured_thresholds_tell_where_they_were_measured(spec: NetworkSpec) -> None:
    assert spec.calibration
    assert spec.calibration.source.strip()
    assert spec.calibration.embedder == spec.name


def test_the_default_network_was_measured() -> None:
    assert DEFAULT_NETWORK in [spec.name for spec in _MEASURED]


def test_known_networks_are_the_zoo(tmp_path: Path) -> None:
    known = known_networks(tmp_path)
    assert [model.name for model in known] == list(ZOO)
    dimensions = {model.name: model.dimension for model in known}
    assert dimensions == {
        "dlib-resnet": 128,
        "sface": 128,
        "facenet-vggface2": 512,
        "facenet-casia-webface": 512,
    }


def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownNetworkError, match="'arcface'") as caught:
        load_network("arcface", LoadOptions("cpu", False, weights_dir=tmp_path))
    for name in ZOO:
        assert name in str(caught.value)


def test_the_service_does_not_start_with_an_unknown_network() -> None:
    with pytest.raises(SettingUnusable, match="there are dlib-resnet") as caught:
        load_configured_network(Settings(device="cpu", embedder="arcface"))
    assert caught.value.setting == "VULTUS_EMBEDDER"


def test_an_error_of_the_next_network_names_the_settings_of_the_next(tmp_path: Path) -> None:
    missing = tmp_path / "next.onnx"
    following = NextSettings(embedder="sface", weights_path=missing)
    with pytest.raises(SettingUnusable, match=r"next\.onnx") as caught:
        load_next_network(Settings(device="cpu", next=following))
    assert caught.value.setting == "VULTUS_NEXT__WEIGHTS_PATH"


def test_the_onnx_file_of_an_older_version_is_missing_until_it_is_added(tmp_path: Path) -> None:
    with pytest.raises(NotAddedError, match="a file of your own"):
        load_network(FORMER_ONNX, LoadOptions("cpu", False, weights_dir=tmp_path))
    with pytest.raises(NetworkNotAdded) as caught:
        load_configured_network(Settings(device="cpu", embedder=FORMER_ONNX, data_dir=tmp_path))
    assert caught.value.name == FORMER_ONNX


def test_the_default_network_loads_with_the_default_settings() -> None:
    network = load_configured_network(Settings(device="cpu"))
    assert network.spec == ZOO[DEFAULT_NETWORK].spec
    assert network.device == "cpu"
