"""MTCNN's networks answer what facenet-pytorch's do, in either runtime."""

import numpy as np
import pytest
import torch
from facenet_pytorch import MTCNN
from numpy.typing import NDArray

from models.zoo.detectors.mtcnn import MtcnnNetworks
from tests.kit.detectors import mtcnn_networks


@pytest.fixture(scope="module")
def library() -> MTCNN:
    return MTCNN()


@pytest.fixture(scope="module", params=["torch", "onnxruntime"])
def networks(request: pytest.FixtureRequest) -> MtcnnNetworks:
    return mtcnn_networks(request.param)


def _pictures(*shape: int) -> NDArray[np.float32]:
    """Smooth and rough ones, from 0 to 255."""
    rng = np.random.default_rng(sum(shape))
    brightness = rng.random(shape[:1] + (1,) * 3) ** 0.5
    return (rng.integers(0, 256, shape) * brightness).astype(np.float32)


def _as_trained(pictures: NDArray[np.float32]) -> torch.Tensor:
    return torch.from_numpy((pictures.astype(np.float32) - 127.5) / 128).permute(0, 3, 1, 2)


@pytest.mark.parametrize("size", [(12, 12), (13, 12), (75, 75), (38, 61), (180, 99)], ids=str)
def test_proposals_of_pictures_of_any_size(
    networks: MtcnnNetworks, library: MTCNN, size: tuple[int, int]
) -> None:
    (picture,) = _pictures(1, *size, 3).astype(np.float32)
    corrections, scores = networks.propose(picture)
    with torch.no_grad():
        moves, faces = library.pnet(_as_trained(picture[None]))
    np.testing.assert_allclose(corrections, moves[0], atol=1e-5)
    np.testing.assert_allclose(scores, faces[0, 1], atol=1e-5)


@pytest.mark.parametrize("count", [1, 300])
def test_refinement_and_output(networks: MtcnnNetworks, library: MTCNN, count: int) -> None:
    small = _pictures(count, 24, 24, 3).astype(np.float32)
    large = _pictures(count, 48, 48, 3).astype(np.float32)
    with torch.no_grad():
        moves, faces = library.rnet(_as_trained(small))
        last_moves, points, last_faces = library.onet(_as_trained(large))
    for found, expected in zip(
        (*networks.refine(small), *networks.locate(large)),
        (moves, faces[:, 1], last_moves, points, last_faces[:, 1]),
        strict=True,
    ):
        np.testing.assert_allclose(found, expected, atol=1e-5)
