"""As a graph the network gives the embeddings of the PyTorch port, its reference."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import face_recognition_models
import numpy as np
import pytest

from models.zoo.network import Network
from models.zoo.networks import dlib_weights
from models.zoo.registry import DLIB_RESNET, LoadOptions, load_network
from models.zoo.serving.cpu_threads import CpuThreads
from models.zoo.serving.run_options import RunOptions
from models.zoo.serving.serve import serve

_ALL: Final = ("openvino", "onnxruntime", "torch")
_FILE = Path(face_recognition_models.face_recognition_model_location())


@pytest.fixture(scope="module", params=["onnxruntime", "openvino"])
def both(request: pytest.FixtureRequest) -> tuple[Network, Network]:
    module, digest = dlib_weights.load(_FILE)
    options = RunOptions("cpu", half=False, threads=CpuThreads(1, 2))
    carried = replace(options, backend=request.param)
    return serve(module, DLIB_RESNET, digest, carried), serve(module, DLIB_RESNET, digest, options)


def test_embeddings_are_those_of_the_reference(both: tuple[Network, Network]) -> None:
    crops = np.random.default_rng(0).integers(0, 256, (5, 150, 150, 3), dtype=np.uint8)
    crops[3], crops[4] = 0, 255
    found, expected = (network.forward(crops) for network in both)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)
    for crop, row in zip(crops, found, strict=True):
        np.testing.assert_allclose(both[0].forward(crop[None])[0], row, atol=1e-5)


def test_a_mirrored_view_is_read_as_it_is_shown(
    both: tuple[Network, Network],
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
        for wanted in _ALL
    ]
    assert [network.runtime for network in loaded] == list(_ALL)
    assert [network.digest for network in loaded] == [dlib_weights.SHA256] * 3
    assert [network.spec for network in loaded] == [DLIB_RESNET] * 3
