"""Embeddings are unit-length directions that do not depend on company or mirror."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from app.recognition.embedder import NetworkEmbedder
from app.recognition.types import Pixels
from models.zoo.names import DEFAULT_NETWORK
from models.zoo.network import Crops, Embeddings, Network, NetworkSpec, Precision
from models.zoo.serving.backends import Backend
from tests.kit.default_network import MATCH


class _Scripted:
    """A network with given answers, which keeps the size of each batch."""

    def __init__(self, spec: NetworkSpec, answer: Callable[[Crops], NDArray[np.floating]]) -> None:
        self.spec = spec
        self.digest = "0" * 64
        self.device = "cpu"
        self.runtime: Backend = "torch"
        self.precision: Precision = "float32"
        self.batches: list[int] = []
        self._answer = answer

    def forward(self, crops: Crops) -> Embeddings:
        self.batches.append(len(crops))
        return self._answer(crops).astype(np.float32)


def _channel_means(crops: Crops) -> NDArray[np.floating]:
    made: NDArray[np.floating] = crops.mean(axis=(1, 2))
    return made


def test_an_embedding_is_a_float32_row_of_unit_length(
    network: Network, crops: Sequence[Pixels]
) -> None:
    rows = NetworkEmbedder(network).embed(crops)
    assert rows.shape == (len(crops), 128)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


def test_a_crop_has_the_same_embedding_alone_and_in_a_batch(
    network: Network, crops: Sequence[Pixels]
) -> None:
    embedder = NetworkEmbedder(network)
    alone = np.concatenate([embedder.embed([crop]) for crop in crops])
    np.testing.assert_allclose(embedder.embed(crops), alone, atol=1e-5)


def test_no_crops_give_no_rows(network: Network) -> None:
    rows = NetworkEmbedder(network).embed([])
    assert rows.shape == (0, 128)
    assert rows.dtype == np.float32


def test_a_mirrored_face_has_the_same_embedding_where_both_are_averaged(
    network: Network, crops: Sequence[Pixels]
) -> None:
    spec = replace(network.spec, mirror_average=True)
    embedder = NetworkEmbedder(_Scripted(spec, network.forward))
    mirrored = [np.ascontiguousarray(crop[:, ::-1]) for crop in crops]
    np.testing.assert_allclose(embedder.embed(mirrored), embedder.embed(crops), atol=1e-5)
    plain = network.forward(np.stack(crops)), network.forward(np.stack(mirrored))
    assert np.abs(plain[0] - plain[1]).max() > 0.01


def test_a_network_without_mirror_averaging_sees_each_crop_once(
    network: Network, crops: Sequence[Pixels]
) -> None:
    spec = replace(network.spec, mirror_average=False)
    rows = NetworkEmbedder(_Scripted(spec, network.forward)).embed(crops)
    raw = network.forward(np.stack(crops))
    expected = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    np.testing.assert_allclose(rows, expected, atol=1e-6)


def test_norms_are_the_lengths_that_the_network_gave(
    network: Network, crops: Sequence[Pixels]
) -> None:
    spec = replace(network.spec, mirror_average=False)
    found = NetworkEmbedder(_Scripted(spec, network.forward)).embed_with_norms(crops)
    raw = network.forward(np.stack(crops))
    np.testing.assert_allclose(found.rows * found.norms[:, None], raw, atol=1e-6)
    assert found.norms.shape == (len(crops),)
    assert NetworkEmbedder(network).embed_with_norms([]).norms.shape == (0,)


@pytest.mark.parametrize("mirror", [True, False])
@pytest.mark.parametrize("count", [1, 31, 32, 33, 64, 65, 150])
def test_any_number_of_crops_comes_back_in_order_from_bounded_batches(
    network: Network, count: int, mirror: bool
) -> None:
    rng = np.random.default_rng(count)
    crops = rng.integers(1, 256, (count, 8, 8, 3), dtype=np.uint8)
    spec = replace(network.spec, dimension=3, mirror_average=mirror)
    scripted = _Scripted(spec, _channel_means)
    rows = NetworkEmbedder(scripted).embed(list(crops))
    means = [crop.reshape(-1, 3).mean(axis=0) for crop in crops]
    expected = [mean / np.linalg.norm(mean) for mean in means]
    np.testing.assert_allclose(rows, expected, atol=1e-6)
    assert max(scripted.batches) <= 64
    assert sum(scripted.batches) == count * (2 if mirror else 1)


@pytest.mark.parametrize("wrong", [0.0, np.nan, np.inf], ids=str)
@pytest.mark.parametrize("place", [0, 2])
def test_a_row_without_a_direction_is_an_error(network: Network, wrong: float, place: int) -> None:
    def answer(crops: Crops) -> NDArray[np.floating]:
        rows = np.ones((len(crops), 3))
        rows[place::3] = wrong
        return rows

    spec = replace(network.spec, dimension=3, mirror_average=False)
    with pytest.raises(FloatingPointError, match="without a direction"):
        NetworkEmbedder(_Scripted(spec, answer)).embed(list(np.zeros((3, 8, 8, 3), dtype=np.uint8)))


def test_two_photos_of_a_person_are_more_alike_than_two_people(
    network: Network, crops: Sequence[Pixels]
) -> None:
    alike = (rows := NetworkEmbedder(network).embed(crops)) @ rows.T
    same = min(alike[0, 1], alike[2, 3])
    different = alike[:2, 2:].max()
    assert different < MATCH < same


def test_the_model_is_named_by_its_network_its_weights_and_its_dimension(network: Network) -> None:
    model = NetworkEmbedder(network).model
    assert (model.name, model.dimension) == (DEFAULT_NETWORK, 128)
    assert model.digest == network.digest
