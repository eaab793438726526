"""The small network takes pictures of any side, and does not mind where a thing is in them."""

import pytest
import torch

from models.zoo.networks.small_cnn import SmallCnn


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [5, 8, 20, 33])
def test_any_side_gives_embeddings_of_the_dimension(channels: int, side: int) -> None:
    torch.manual_seed(0)
    network = SmallCnn(7, channels=channels, side=side)
    embeddings = network(torch.rand(4, channels, side, side))
    assert embeddings.shape == (4, 7)
    embeddings.sum().backward()
    assert all(p.grad is not None for p in network.parameters())


def test_pictures_that_are_too_small_are_refused() -> None:
    with pytest.raises(ValueError, match="4 pixels are too small; give it 5 or more"):
        SmallCnn(7, side=4)


def test_a_thing_that_moves_is_embedded_alike() -> None:
    torch.manual_seed(0)
    network = SmallCnn(7, channels=1, side=24).eval()
    pictures = torch.zeros(2, 1, 24, 24)
    thing = torch.rand(6, 6)
    pictures[0, 0, 4:10, 4:10] = thing
    pictures[1, 0, 10:16, 12:18] = thing  # by even numbers: one layer halves the resolution
    first, second = network(pictures)
    assert torch.allclose(first, second, atol=1e-5)
