"""A network that was prepared before starts from its files, and runs without them as well."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.zoo.network import Network
from models.zoo.networks import sface_weights
from models.zoo.registry import LoadOptions, load_network

_CROPS = np.random.default_rng(0).integers(0, 256, (3, 112, 112, 3), dtype=np.uint8)


def _load(prepared_dir: Path | None) -> Network:
    options = LoadOptions(
        device="cpu",
        half=False,
        backend="onnxruntime",
        prepared_dir=prepared_dir,
        weights_dir=Path("no-such-folder"),
    )
    return load_network("sface", options)


def _forbid_conversion(patch: pytest.MonkeyPatch) -> None:
    def forbidden(_: bytes) -> sface_weights.SFaceWeights:
        raise AssertionError("the weights were converted again")

    patch.setattr(sface_weights, "build", forbidden)


@pytest.fixture(scope="module")
def embeddings() -> np.ndarray:
    return _load(None).forward(_CROPS)


def test_second_start_converts_no_weights_and_gives_the_same_embeddings(
    tmp_path: Path, embeddings: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "prepared"
    assert np.array_equal(_load(folder).forward(_CROPS), embeddings)
    _forbid_conversion(monkeypatch)
    again = _load(folder)
    assert np.array_equal(again.forward(_CROPS), embeddings)
    assert np.array_equal(again.forward(_CROPS[:1]), _load(folder).forward(_CROPS)[:1])


def _cut(folder: Path) -> None:
    weights = folder / "graph.weights"
    weights.write_bytes(weights.read_bytes()[:-1])


def _flip(folder: Path) -> None:
    weights = folder / "graph.weights"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)


def _lose_graph(folder: Path) -> None:
    (folder / "graph.onnx").unlink()


def _spoil_digests(folder: Path) -> None:
    (folder / "sha256.json").write_text("[]")


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(_cut, id="weights cut"),
        pytest.param(_flip, id="a bit of the weights flipped"),
        pytest.param(_lose_graph, id="graph lost"),
        pytest.param(_spoil_digests, id="digests spoilt"),
    ],
)
def test_damaged_files_are_made_again(
    damage: Callable[[Path], None],
    tmp_path: Path,
    embeddings: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _load(tmp_path)
    (place,) = tmp_path.iterdir()
    damage(place)
    assert np.array_equal(_load(tmp_path).forward(_CROPS), embeddings)
    _forbid_conversion(monkeypatch)
    assert np.array_equal(_load(tmp_path).forward(_CROPS), embeddings)
    assert list(tmp_path.iterdir()) == [place]


def test_files_of_a_former_version_are_removed(tmp_path: Path) -> None:
    former, other = tmp_path / f"sface-{'0' * 16}", tmp_path / f"other-{'0' * 16}"
    for folder in (former, other):
        folder.mkdir()
        (folder / "graph.onnx").write_bytes(b"")
    _load(tmp_path)
    assert not former.exists()
    assert other.exists()


def test_network_runs_where_no_files_can_be_kept(tmp_path: Path, embeddings: np.ndarray) -> None:
    (tmp_path / "file").write_bytes(b"")
    for folder in (tmp_path / "file" / "prepared", tmp_path / "no-such-folder" / "prepared"):
        assert np.array_equal(_load(folder).forward(_CROPS), embeddings)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
