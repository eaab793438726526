"""In ONNX Runtime the network gives the embeddings of the PyTorch port, its reference."""

from pathlib import Path
from typing import Final

import face_recognition_models
import numpy as np
import pytest

from models.zoo import dlib_resnet
from models.zoo.cpu_threads import CpuThreads
from models.zoo.dlib_onnx import dlib_graph
from models.zoo.onnx_session import OnnxRuntimeGraph
from models.zoo.registry import DLIB_RESNET, LoadOptions, load_network
from models.zoo.torch_network import TorchNetwork

_BOTH: Final = ("onnxruntime", "torch")
_FILE = Path(face_recognition_models.face_recognition_model_location())


@pytest.fixture(scope="module")
def both() -> tuple[OnnxRuntimeGraph, TorchNetwork]:
    module, digest = dlib_resnet.load(_FILE)
    graph = dlib_graph(module, DLIB_RESNET)
    return (
        OnnxRuntimeGraph(DLIB_RESNET, graph, digest, CpuThreads(1, 2)),
        TorchNetwork(DLIB_RESNET, module, digest, device="cpu", half=False),
    )


def test_embeddings_are_those_of_the_reference(both: tuple[OnnxRuntimeGraph, TorchNetwork]) -> None:
    crops = np.random.default_rng(0).integers(0, 256, (5, 150, 150, 3), dtype=np.uint8)
    crops[3], crops[4] = 0, 255
    found, expected = (network.forward(crops) for network in both)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)
    for crop, row in zip(crops, found, strict=True):
        np.testing.assert_allclose(both[0].forward(crop[None])[0], row, atol=1e-5)


def test_a_mirrored_view_is_read_as_it_is_shown(
    both: tuple[OnnxRuntimeGraph, TorchNetwork],
) -> None:
    crops = np.random.default_rng(1).integers(0, 256, (2, 150, 150, 3), dtype=np.uint8)
    mirrored = crops[:, :, ::-1]
    np.testing.assert_array_equal(
        both[0].forward(mirrored), both[0].forward(np.ascontiguousarray(mirrored))
    )


def test_either_has_the_digest_of_the_weights(tmp_path: Path) -> None:
    loaded = [
        load_network(
            "dlib-resnet",
            LoadOptions(device="cpu", half=True, weights_dir=tmp_path, backend=wanted),
        )
        for wanted in _BOTH
    ]
    assert [network.runtime for network in loaded] == list(_BOTH)
    assert [network.digest for network in loaded] == [dlib_resnet.SHA256] * 2
    assert [network.spec for network in loaded] == [DLIB_RESNET] * 2
