"""FaceNet loads from a file or a download, and says what is wrong when it cannot."""

import hashlib
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from facenet_pytorch import InceptionResnetV1, fixed_image_standardization
from numpy.typing import NDArray
from torch import nn

from app.errors import StartupError
from app.recognition.build import load_configured_network
from app.recognition.embedder import NetworkEmbedder
from app.settings import Settings
from models.zoo.errors import WeightsInvalidError, WeightsMissingError
from models.zoo.networks import facenet
from models.zoo.registry import LoadOptions, load_network

_NAME = "facenet-vggface2"


def _must_not_fetch(url: str, path: str) -> None:
    raise AssertionError(f"fetched {url} to {path}")


def _crops() -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (3, 160, 160, 3), dtype=np.uint8)


def _normalised() -> torch.Tensor:
    made: torch.Tensor = fixed_image_standardization(
        torch.from_numpy(_crops()).permute(0, 3, 1, 2).float()
    )
    return made


@pytest.fixture(scope="module")
def reference() -> InceptionResnetV1:
    """The library's own network, its weights of a fixed seed.

    Its normalisation is fitted to the crops, without which fresh weights answer all crops alike.
    """
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = InceptionResnetV1(pretrained=None)
        for module in network.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.momentum = 1.0
        with torch.no_grad():
            network.train()(_normalised())
    return network.eval()


@pytest.fixture(scope="module")
def weights(reference: InceptionResnetV1, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as published: the network with its training classifier."""
    state = dict(reference.state_dict())
    state["logits.weight"] = torch.zeros(10, 512)
    state["logits.bias"] = torch.zeros(10)
    path = tmp_path_factory.mktemp("weights") / "20180402-114759-vggface2.pt"
    torch.save(state, path)
    return path


def test_embeddings_equal_the_librarys_own(reference: InceptionResnetV1, weights: Path) -> None:
    network = load_network(
        _NAME, LoadOptions("cpu", False, weights_dir=weights.parent, weights_path=weights)
    )
    found = NetworkEmbedder(network).embed(list(_crops()))
    with torch.no_grad():
        expected = reference(_normalised()).numpy()
    assert found.shape == (3, 512)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert (expected @ expected.T)[np.triu_indices(3, 1)].max() < 0.98


def test_a_file_in_the_weights_folder_is_used_without_fetching(weights: Path) -> None:
    network, digest = facenet.load(_NAME, weights_dir=weights.parent, download=_must_not_fetch)
    assert digest == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert not network.training


def test_a_named_file_wins_over_the_weights_folder(weights: Path, tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / weights.name).write_bytes(b"never read")
    _, digest = facenet.load(
        _NAME, weights_dir=folder, weights_path=weights, download=_must_not_fetch
    )
    assert digest == hashlib.sha256(weights.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("name", "filename"),
    [
        ("facenet-vggface2", "20180402-114759-vggface2.pt"),
        ("facenet-casia-webface", "20180408-102900-casia-webface.pt"),
    ],
)
def test_a_file_not_there_yet_is_fetched_once_from_the_release(
    name: str, filename: str, weights: Path, tmp_path: Path
) -> None:
    asked: list[str] = []

    def download(url: str, path: str) -> None:
        asked.append(url)
        Path(path).symlink_to(weights)

    folder = tmp_path / "made" / "on demand"
    for _ in range(2):
        _, digest = facenet.load(name, weights_dir=folder, download=download)
        assert digest == hashlib.sha256(weights.read_bytes()).hexdigest()
    release = "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/"
    assert asked == [release + filename]


@pytest.mark.parametrize("error", [URLError("no route"), TimeoutError("too slow"), OSError("full")])
def test_a_failed_download_tells_the_other_ways(error: OSError, tmp_path: Path) -> None:
    def download(_url: str, _path: str) -> None:
        raise error

    with pytest.raises(WeightsMissingError) as caught:
        facenet.load(_NAME, weights_dir=tmp_path, download=download)
    for remedy in (str(tmp_path), "the network dlib-resnet"):
        assert remedy in str(caught.value)
    assert str(error) in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fails", [True, False])
def test_a_silent_server_is_not_waited_for_without_end(
    fails: bool, weights: Path, tmp_path: Path
) -> None:
    waits: list[float | None] = []

    def download(_url: str, path: str) -> None:
        waits.append(socket.getdefaulttimeout())
        if fails:
            raise TimeoutError
        Path(path).symlink_to(weights)

    before = socket.getdefaulttimeout()
    if fails:
        with pytest.raises(WeightsMissingError):
            facenet.load(_NAME, weights_dir=tmp_path, download=download)
    else:
        facenet.load(_NAME, weights_dir=tmp_path, download=download)
    (wait,) = waits
    assert wait is not None
    assert 0 < wait <= 120
    assert socket.getdefaulttimeout() == before


def test_a_named_file_that_is_missing_is_not_fetched(tmp_path: Path) -> None:
    path = tmp_path / "mine.pt"
    with pytest.raises(WeightsMissingError) as caught:
        facenet.load(_NAME, weights_dir=tmp_path, weights_path=path, download=_must_not_fetch)
    assert str(path) in str(caught.value)
    assert caught.value.option == "weights_path"


def _text(path: Path) -> None:
    path.write_text("<html>Not Found</html>")


def _nothing(path: Path) -> None:
    path.write_bytes(b"")


def _list(path: Path) -> None:
    torch.save([1, 2, 3], path)


def _other_network(path: Path) -> None:
    torch.save({"conv.weight": torch.zeros(3, 3)}, path)


class _Code:
    """Unpickling this would run code."""

    def __reduce__(self) -> tuple[Callable[[Path], object], tuple[Path]]:
        return Path.touch, (Path("ran"),)


def _code(path: Path) -> None:
    torch.save({"conv.weight": _Code()}, path)


@pytest.mark.parametrize("write", [_text, _nothing, _list, _other_network, _code])
def test_a_file_without_the_weights_is_refused(
    write: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "wrong.pt"
    write(path)
    with pytest.raises(WeightsInvalidError, match=_NAME) as caught:
        facenet.load(_NAME, weights_dir=tmp_path, weights_path=path, download=_must_not_fetch)
    assert str(path) in str(caught.value)
    assert list(tmp_path.iterdir()) == [path]


def test_a_truncated_file_is_refused(weights: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.pt"
    path.write_bytes(weights.read_bytes()[:100_000])
    with pytest.raises(WeightsInvalidError):
        facenet.load(_NAME, weights_dir=tmp_path, weights_path=path)


def test_a_missing_parameter_is_refused(reference: InceptionResnetV1, tmp_path: Path) -> None:
    state = dict(reference.state_dict())
    del state["last_bn.weight"]
    path = tmp_path / "incomplete.pt"
    torch.save(state, path)
    with pytest.raises(WeightsInvalidError, match=r"last_bn\.weight"):
        facenet.load(_NAME, weights_dir=tmp_path, weights_path=path)


def test_the_settings_load_it(weights: Path) -> None:
    network = load_configured_network(Settings(device="cpu", embedder=_NAME, weights_path=weights))
    assert (network.spec.name, network.spec.dimension, network.device) == (_NAME, 512, "cpu")
    assert network.digest == hashlib.sha256(weights.read_bytes()).hexdigest()


def test_the_service_does_not_start_without_the_file_it_was_told_to_use(tmp_path: Path) -> None:
    settings = Settings(device="cpu", embedder=_NAME, weights_path=tmp_path / "nowhere.pt")
    with pytest.raises(StartupError, match=r"nowhere\.pt"):
        load_configured_network(settings)
