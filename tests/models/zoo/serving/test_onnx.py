"""Any ONNX embedding network runs as its file says, or is refused with the reason."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.zoo.errors import WeightsInvalidError, WeightsMissingError
from models.zoo.network import Crops
from models.zoo.serving.backends import Backend, BackendChoice
from models.zoo.serving.onnx_network import OnnxNetwork, OnnxOptions
from models.zoo.serving.run_options import RunOptions

_DIMENSION = 5
_MATRIX = np.random.default_rng(0).normal(size=(3, _DIMENSION)).astype(np.float32)
_MIDDLE = (127.5, 127.5, 127.5)


def _save(path: Path, nodes: Sequence[Any], shape: Sequence[Any], output: Sequence[Any]) -> Path:
    constants: dict[str, NDArray[Any]] = {
        "matrix": _MATRIX,
        "square": np.eye(2, dtype=np.float32),
        "rows_and_columns": np.array([1, 2], dtype=np.int64),
    }
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes,
        "embedder",
        [helper.make_tensor_value_info("crop", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, output)],
        [numpy_helper.from_array(constants[name], name) for name in sorted(used & set(constants))],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def _made(folder: Path, shape: Sequence[Any], **metadata: str) -> Path:
    """A network that multiplies the mean colour of the crop with a matrix."""
    if shape[1] == 3:
        pool = [
            helper.make_node("GlobalAveragePool", ["crop"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["colour"]),
        ]
    else:
        pool = [
            helper.make_node("ReduceMean", ["crop", "rows_and_columns"], ["colour"], keepdims=0)
        ]
    nodes = [*pool, helper.make_node("MatMul", ["colour", "matrix"], ["embedding"])]
    path = _save(folder / "network.onnx", nodes, shape, [shape[0], _DIMENSION])
    model = onnx.load(path)
    helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return path


def _opened(path: Path, *, backend: BackendChoice = "onnxruntime", **options: Any) -> OnnxNetwork:
    return OnnxNetwork(path, OnnxOptions(**options), RunOptions("cpu", half=False, backend=backend))


def _crops(size: int, count: int = 3) -> Crops:
    """Of very different colours."""
    rng = np.random.default_rng(size)
    colours = rng.integers(0, 200, (count, 1, 1, 3))
    return (colours + rng.integers(0, 56, (count, size, size, 3))).astype(np.uint8)


def _expected(
    crops: Crops,
    mean: tuple[float, float, float] = _MIDDLE,
    std: tuple[float, float, float] = _MIDDLE,
) -> NDArray[np.float64]:
    rows = []
    for crop in crops:
        colour = crop.reshape(-1, 3).astype(np.float64).mean(axis=0)
        rows.append((colour - mean) / std @ _MATRIX)
    return np.array(rows)


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
@pytest.mark.parametrize(
    ("shape", "size"),
    [
        (("batch", 3, 112, 112), 112),
        (("batch", 112, 112, 3), 112),
        ((1, 3, 112, 112), 112),
        ((1, 96, 96, 3), 96),
        ((None, 3, 32, 32), 32),
        (("batch", 3, "height", "width"), 112),
        (("batch", "side", "side", 3), 112),
        (("batch", 3, None, None), 112),
    ],
    ids=str,
)
def test_every_layout_and_batch_gives_the_same_numbers(
    shape: tuple[Any, ...], size: int, tmp_path: Path, backend: Backend
) -> None:
    network = _opened(_made(tmp_path, shape), backend=backend)
    assert network.runtime == backend
    assert network.spec.input.size_px == size
    found = network.forward(_crops(size))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, _expected(_crops(size)), atol=1e-4)


def test_the_spec_and_the_digest_are_those_of_the_file(tmp_path: Path) -> None:
    path = _made(tmp_path, ("batch", 3, 112, 112))
    network = _opened(path)
    assert (network.spec.name, network.spec.dimension) == ("onnx", _DIMENSION)
    assert network.spec.calibration is None
    assert network.device == "cpu"
    assert network.digest == hashlib.sha256(path.read_bytes()).hexdigest()


def test_options_that_change_embeddings_change_the_digest(tmp_path: Path) -> None:
    path = _made(tmp_path, ("batch", 3, "height", "width"))
    options: list[dict[str, Any]] = [
        {},
        {"mirror_average": True},
        {"size_px": 96},
        {"size_px": 64},
        {"mean": (0.0, 0.0, 0.0)},
        {"std": (128.0, 128.0, 128.0)},
    ]
    digests = [_opened(path, **chosen).digest for chosen in options]
    assert len(set(digests)) == len(options)
    assert all(len(digest) == 64 for digest in digests)
    assert digests == [_opened(path, **chosen).digest for chosen in options]


@pytest.mark.parametrize("mirror", [True, False])
def test_mirror_averaging_is_the_users_choice(mirror: bool, tmp_path: Path) -> None:
    network = _opened(_made(tmp_path, (1, 3, 32, 32)), mirror_average=mirror)
    assert network.spec.mirror_average is mirror


def test_the_size_that_the_graph_leaves_open_comes_from_the_options(tmp_path: Path) -> None:
    network = _opened(_made(tmp_path, ("batch", 3, "height", "width")), size_px=64)
    assert network.spec.input.size_px == 64
    np.testing.assert_allclose(network.forward(_crops(64)), _expected(_crops(64)), atol=1e-4)


def test_a_size_equal_to_the_graphs_is_accepted_and_another_refused(tmp_path: Path) -> None:
    path = _made(tmp_path, ("batch", 3, 96, 96))
    assert _opened(path, size_px=96).spec.input.size_px == 96
    with pytest.raises(WeightsInvalidError, match="96 px, not of 112"):
        _opened(path, size_px=112)


_MEAN, _STD = (120.0, 115.5, 101.25), (58.0, 57.0, 57.5)
_METADATA = {"mean": json.dumps(_MEAN), "std": json.dumps(_STD)}


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_normalisation_is_read_from_the_file(tmp_path: Path, backend: Backend) -> None:
    network = _opened(_made(tmp_path, ("batch", 3, 32, 32), **_METADATA), backend=backend)
    assert (network.spec.input.mean, network.spec.input.std) == (_MEAN, _STD)
    expected = _expected(_crops(32), _MEAN, _STD)
    np.testing.assert_allclose(network.forward(_crops(32)), expected, atol=1e-4)


def test_normalisation_that_the_file_lacks_is_read_from_the_options(tmp_path: Path) -> None:
    network = _opened(_made(tmp_path, ("batch", 32, 32, 3)), mean=_MEAN, std=_STD)
    expected = _expected(_crops(32), _MEAN, _STD)
    np.testing.assert_allclose(network.forward(_crops(32)), expected, atol=1e-4)


def test_normalisation_in_the_file_wins_over_the_options(tmp_path: Path) -> None:
    path = _made(tmp_path, ("batch", 3, 32, 32), **_METADATA)
    network = _opened(path, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    assert (network.spec.input.mean, network.spec.input.std) == (_MEAN, _STD)


@pytest.mark.parametrize("key", ["mean", "std"])
@pytest.mark.parametrize("value", ["127.5", "[1, 2]", "[1, 2, 3, 4]", '["a", 2, 3]', "red", "null"])
def test_malformed_normalisation_is_refused(key: str, value: str, tmp_path: Path) -> None:
    path = _made(tmp_path, ("batch", 3, 32, 32), **{key: value})
    with pytest.raises(WeightsInvalidError, match=f"metadata '{key}'.*three numbers"):
        _opened(path)


@pytest.mark.parametrize("key", ["mean", "std"])
@pytest.mark.parametrize("value", ["[NaN, 1, 1]", "[1, Infinity, 1]"])
def test_normalisation_that_is_not_finite_is_refused(key: str, value: str, tmp_path: Path) -> None:
    path = _made(tmp_path, ("batch", 3, 32, 32), **{key: value})
    with pytest.raises(WeightsInvalidError, match=key):
        _opened(path)


def test_a_divisor_of_zero_is_refused(tmp_path: Path) -> None:
    plain = _made(tmp_path, ("batch", 3, 32, 32))
    with pytest.raises(WeightsInvalidError, match="std not zero"):
        _opened(plain, std=(58.0, 0.0, 57.5))
    in_file = _made(tmp_path, ("batch", 3, 32, 32), std="[58, 0, 57.5]")
    with pytest.raises(WeightsInvalidError, match="std"):
        _opened(in_file)


@pytest.mark.parametrize("size", [112, 224, 96])
def test_crops_are_aligned_as_for_arcface(size: int, tmp_path: Path) -> None:
    network = _opened(_made(tmp_path, (1, 3, size, size)))
    insightface_112 = np.array(
        [
            [38.2946, 51.6963],
            [73.5318, 51.5014],
            [56.0252, 71.7366],
            [41.5493, 92.3655],
            [70.7299, 92.2041],
        ]
    )
    np.testing.assert_allclose(network.spec.input.template, insightface_112 * size / 112)


@pytest.mark.parametrize(
    "shape",
    [
        ("batch", 1, 112, 112),
        ("batch", 112, 112, 4),
        ("batch", 3, 112, 96),
        ("batch", 96, 112, 3),
        ("batch", 3, 112),
        ("batch", 3),
    ],
    ids=str,
)
def test_input_that_is_no_square_colour_crop_is_refused(
    shape: tuple[Any, ...], tmp_path: Path
) -> None:
    node = helper.make_node("Identity", ["crop"], ["embedding"])
    path = _save(tmp_path / "network.onnx", [node], shape, shape)
    with pytest.raises(WeightsInvalidError, match="square colour crops"):
        _opened(path)


def test_output_that_is_no_row_a_crop_is_refused(tmp_path: Path) -> None:
    node = helper.make_node("GlobalAveragePool", ["crop"], ["embedding"])
    path = _save(tmp_path / "network.onnx", [node], ("n", 3, 32, 32), ("n", 3, 1, 1))
    with pytest.raises(WeightsInvalidError, match=r"answers shape \(1, 3, 1, 1\)"):
        _opened(path)


def test_a_batch_fixed_to_more_than_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsInvalidError, match="does not run on a crop"):
        _opened(_made(tmp_path, (4, 3, 32, 32)))


def test_a_missing_file_is_told_with_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissingError, match="there is no ONNX file"):
        _opened(tmp_path / "nowhere.onnx")


@pytest.mark.parametrize("backend", ["auto", "onnxruntime", "openvino"])
@pytest.mark.parametrize("content", [b"", b"not a network", bytes(1000)])
def test_a_file_that_is_no_onnx_is_refused(
    content: bytes, tmp_path: Path, backend: BackendChoice
) -> None:
    path = tmp_path / "network.onnx"
    path.write_bytes(content)
    with pytest.raises(WeightsInvalidError, match=r"network\.onnx") as caught:
        _opened(path, backend=backend)
    tried = [name for name in ("openvino", "onnxruntime") if f"{name}: " in str(caught.value)]
    assert tried == (["openvino", "onnxruntime"] if backend == "auto" else [backend])


def test_a_file_that_openvino_cannot_run_is_run_by_onnx_runtime(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("GlobalAveragePool", ["crop"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["colour"]),
        helper.make_node("Det", ["square"], ["one"]),  # no operation of OpenVINO
        helper.make_node("Mul", ["colour", "one"], ["embedding"]),
    ]
    path = _save(tmp_path / "network.onnx", nodes, ("n", 3, 32, 32), ("n", 3))
    network = _opened(path, backend="auto")
    assert network.runtime == "onnxruntime"
    assert network.forward(_crops(32)).shape == (3, 3)
    with pytest.raises(WeightsInvalidError, match="openvino: "):
        _opened(path, backend="openvino")
