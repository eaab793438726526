"""Arrays of weights are what modules of PyTorch were filled with."""

import numpy as np
import pytest
import torch

from models.zoo.errors import WeightsInvalidError
from models.zoo.networks import dlib_weights, sface_weights
from models.zoo.networks.dlib_weights import DlibWeights
from models.zoo.networks.sface_weights import SFaceWeights
from models.zoo.weights.arrays import filter_sums


@pytest.mark.parametrize("inputs", [(3, 3, 3), (3, 7, 7), (3, 2, 2), (1, 1, 1), (64, 3, 3)])
def test_filters_are_summed_as_pytorch_sums_them(inputs: tuple[int, ...]) -> None:
    weight = np.random.default_rng(0).normal(size=(32, *inputs)).astype(np.float32)
    expected = torch.from_numpy(weight).sum(dim=(1, 2, 3)).numpy()
    np.testing.assert_allclose(filter_sums(weight), expected, rtol=1e-5, atol=1e-5)
    if inputs in {(3, 3, 3), (3, 7, 7)}:  # those of the networks, which no gallery may notice
        np.testing.assert_array_equal(filter_sums(weight), expected)


@pytest.mark.parametrize("weights", [sface_weights.load()[0], dlib_weights.load()[0]])
def test_the_module_has_the_arrays(weights: SFaceWeights | DlibWeights) -> None:
    state = weights.module().state_dict()
    assert state.keys() == weights.arrays.keys()
    for name, values in weights.arrays.items():
        np.testing.assert_array_equal(state[name].numpy(), values)


def test_arrays_of_another_network_are_refused() -> None:
    arrays = dict(dlib_weights.load()[0].arrays)
    with pytest.raises(WeightsInvalidError, match="not the weights of sface: of its parameters"):
        SFaceWeights(arrays)
    arrays["stem.weight"] = arrays["stem.weight"][:, :2]
    with pytest.raises(WeightsInvalidError, match=r"stem\.weight has the shape \(32, 2, 7, 7\)"):
        DlibWeights(arrays)
