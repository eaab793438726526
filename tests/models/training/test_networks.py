"""Every network trains, freezes and begins with weights as it is told."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from models.training.config import NetworkOptions
from models.training.errors import ConfigInvalidError
from models.training.networks import build_network, input_of
from models.zoo.architectures import ARCHITECTURES, Recipe, build, find_architecture
from models.zoo.errors import UnknownNetworkError, WeightsInvalidError, WeightsMissingError
from models.zoo.networks.divisible import Divisible
from models.zoo.networks.iresnet import IResNet
from models.zoo.weights.module_weights import fill, module_of
from models.zoo.weights.weights_file import read_weights, save_weights

NAMES = list(ARCHITECTURES)


def _pictures(side: int) -> torch.Tensor:
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1))


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_every_network_can_be_built() -> None:
    assert NAMES == [
        "dlib-resnet",
        "sface",
        "inception-resnet-v1",
        "iresnet-18",
        "iresnet-50",
        "mobilefacenet",
        "small-cnn",
    ]
    with pytest.raises(UnknownNetworkError, match="mobilefacenet"):
        find_architecture("vit")


@pytest.mark.parametrize(
    ("name", "size_px", "side"),
    [
        ("dlib-resnet", None, 150),
        ("sface", None, 112),
        ("inception-resnet-v1", None, 80),  # its pooling takes what is there
        ("iresnet-18", 32, 32),
        ("mobilefacenet", 32, 32),
        ("small-cnn", 20, 20),
    ],
)
def test_a_network_gives_embeddings_of_the_dimension_and_all_of_it_learns(
    name: str, size_px: int | None, side: int
) -> None:
    options = NetworkOptions(name=name, dimension=24, size_px=size_px, weights="scratch")
    built = build_network(options, weights_dir=Path(), seed=1)
    built.training_mode()
    found = built.module(_pictures(side))
    assert found.shape == (2, 24)
    (found * torch.randn_like(found)).sum().backward()
    for key, parameter in built.module.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, key
            assert torch.isfinite(parameter.grad).all(), key


def test_the_sizes_are_those_of_the_papers() -> None:
    """InsightFace's iresnet18 and iresnet50 have 24.0 and 43.6 million parameters; MobileFaceNet
    about one (Chen et al., 2018, table 1)."""
    assert round(_parameters(IResNet(18)) / 1e6, 1) == 24.0
    assert round(_parameters(IResNet(50)) / 1e6, 1) == 43.6
    assert 0.9e6 < _parameters(build(Recipe("mobilefacenet", 112, 128, 128))) < 1.3e6


@pytest.mark.parametrize("name", ["small-cnn", "mobilefacenet", "iresnet-18"])
def test_other_sides_are_taken_where_the_network_allows(name: str) -> None:
    options = NetworkOptions(name=name, size_px=48)
    assert input_of(options).size_px == 48
    built = build_network(options, weights_dir=Path(), seed=1)
    assert built.module.eval()(_pictures(48)).shape[0] == 2
    with pytest.raises(ConfigInvalidError, match="150 px only"):
        input_of(NetworkOptions(name="dlib-resnet", size_px=112))


def test_the_published_weights_of_dlib_are_those_that_are_served() -> None:
    from models.zoo.registry import LoadOptions, load_network  # noqa: PLC0415

    built = build_network(NetworkOptions(), weights_dir=Path(), seed=1)
    served = load_network("dlib-resnet", LoadOptions("cpu", False, weights_dir=Path()))
    crops = torch.randint(0, 256, (2, 150, 150, 3), generator=torch.Generator().manual_seed(2))
    spec = built.recipe.input
    x = (crops.permute(0, 3, 1, 2).float() - torch.tensor(spec.mean)[None, :, None, None]) / 256
    with torch.no_grad():
        found = built.module.eval()(x)
    expected = torch.from_numpy(served.forward(crops.numpy().astype("uint8")))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_networks_without_published_weights_say_so() -> None:
    with pytest.raises(WeightsMissingError, match="from scratch"):
        build_network(
            NetworkOptions(name="small-cnn", weights="published"), weights_dir=Path(), seed=1
        )


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("iresnet-50")])
def test_the_first_parts_can_be_frozen(name: str) -> None:
    options = NetworkOptions(name=name, frozen_parts=2)
    built = build_network(options, weights_dir=Path(), seed=1)
    built.training_mode()
    frozen = {id(p) for part in built.frozen for p in part.parameters()}
    assert frozen
    assert frozen < {id(parameter) for parameter in built.module.parameters()}
    assert all(
        not parameter.requires_grad for part in built.frozen for parameter in part.parameters()
    )
    assert all(not module.training for part in built.frozen for module in part.modules())
    assert built.module.training
    with pytest.raises(ConfigInvalidError, match="parts"):
        build_network(NetworkOptions(name=name, frozen_parts=99), weights_dir=Path(), seed=1)


@pytest.mark.parametrize("head", ["none", "linear", "mlp"])
def test_weights_come_back_from_their_file_with_the_recipe(tmp_path: Path, head: str) -> None:
    options = NetworkOptions.model_validate(
        {"name": "small-cnn", "head": head, "size_px": 16, "dimension": 6}
    )
    built = build_network(options, weights_dir=tmp_path, seed=5)
    path = tmp_path / "n.safetensors"
    digest = save_weights(path, built.module.state_dict(), built.recipe, mirror_average=True)
    saved = read_weights(path)
    assert saved.digest == digest
    assert saved.recipe == built.recipe
    again = module_of(saved, built.recipe)
    x = _pictures(16)
    with torch.no_grad():
        torch.testing.assert_close(again(x), built.module.eval()(x), rtol=0, atol=0)
    second = tmp_path / "again.safetensors"
    assert save_weights(second, again.state_dict(), built.recipe, mirror_average=True) == digest


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    built = build_network(NetworkOptions(name="small-cnn"), weights_dir=tmp_path, seed=1)
    path = tmp_path / "n.safetensors"
    save_weights(path, built.module.state_dict(), built.recipe, mirror_average=True)
    with pytest.raises(ConfigInvalidError, match=r"network\.name=small-cnn"):
        build_network(
            NetworkOptions(name="mobilefacenet", weights=str(path)), weights_dir=tmp_path, seed=1
        )
    with pytest.raises(WeightsInvalidError, match="not the weights of mobilefacenet"):
        fill(
            build(Recipe("mobilefacenet", 112, 128, 128)), read_weights(path).state, "mobilefacenet"
        )
    path.write_bytes(b"torn")
    with pytest.raises(WeightsInvalidError, match="another copy"):
        read_weights(path)
    with pytest.raises(WeightsMissingError):
        read_weights(tmp_path / "none.safetensors")


def test_a_state_that_torch_saved_can_be_begun_with(tmp_path: Path) -> None:
    source = build_network(NetworkOptions(name="small-cnn"), weights_dir=tmp_path, seed=1).module
    torch.save(source.state_dict(), tmp_path / "n.pt")
    options = NetworkOptions(name="small-cnn", weights=str(tmp_path / "n.pt"))
    built = build_network(options, weights_dir=tmp_path, seed=2).module
    for name, tensor in source.state_dict().items():
        assert torch.equal(built.state_dict()[name], tensor)


@pytest.mark.parametrize("about", ["[]", "7", '{"recipe": 1}', '{"recipe": {"side": 1}}', "{"])
def test_a_file_that_says_nonsense_of_its_network_is_refused(tmp_path: Path, about: str) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"a": torch.zeros(1)}, path, metadata={"vultus": about})
    with pytest.raises(WeightsInvalidError, match="cannot be read as weights"):
        read_weights(path)


def test_crops_are_as_large_as_those_of_the_weights_to_begin_with(tmp_path: Path) -> None:
    recipe = Recipe("small-cnn", 20, 8, 8)
    path = tmp_path / "x.safetensors"
    save_weights(path, build(recipe).state_dict(), recipe, mirror_average=False)
    options = NetworkOptions(name="small-cnn", weights=str(path))
    assert input_of(options) == recipe.input
    assert build_network(options, weights_dir=tmp_path, seed=1).recipe == recipe


@pytest.mark.parametrize(
    ("name", "size_px", "parts"),
    [
        ("dlib-resnet", None, (1, 11, 15)),
        ("sface", 112, (1, 9, 14)),
        ("iresnet-18", 32, (1, 3, 5)),
        ("mobilefacenet", 32, (1, 2, 6)),
    ],
)
def test_a_network_in_two_pieces_is_the_network(
    name: str, size_px: int | None, parts: tuple[int, ...]
) -> None:
    options = NetworkOptions(name=name, size_px=size_px, weights="scratch")
    module = build_network(options, weights_dir=Path(), seed=1).module.eval()
    assert isinstance(module, Divisible)
    pictures = _pictures(size_px or 150)
    with torch.inference_mode():
        whole = module(pictures)
        for count in parts:
            assert torch.equal(module.finish(module.begin(pictures, count), count), whole)


def test_the_first_piece_ends_where_freezing_does() -> None:
    for name in ("dlib-resnet", "sface", "iresnet-18", "mobilefacenet"):
        built = build_network(
            NetworkOptions(name=name, weights="scratch", frozen_parts=3), weights_dir=Path(), seed=1
        )
        module = built.module.eval()
        assert isinstance(module, Divisible)
        side = built.recipe.input.size_px
        features = module.begin(_pictures(side), 3)
        assert not features.requires_grad  # nothing in it is trained
        torch.autograd.backward(module.finish(features, 3).sum())
        trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
        assert all(parameter.grad is not None for parameter in trained)
