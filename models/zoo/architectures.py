"""The networks that can be trained, by name: how to build each, and the crop that it takes.

A `Recipe` says what was built, so that its weights can be loaded again anywhere.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Literal, Protocol, runtime_checkable

from torch import Tensor, nn
from torch.nn import functional

from models.zoo.errors import UnknownNetworkError
from models.zoo.network import InputSpec
from models.zoo.networks.dlib_resnet import DlibResNet
from models.zoo.networks.iresnet import IResNet
from models.zoo.networks.mobilefacenet import MobileFaceNet
from models.zoo.networks.sface import SFace
from models.zoo.networks.small_cnn import SmallCnn
from models.zoo.templates import DLIB_150, FACENET_160, arcface_template

HeadKind = Literal["none", "linear", "mlp"]


@dataclass(frozen=True, slots=True)
class Architecture:
    """`build` takes the dimension and the crop's side in pixels, and starts from scratch.

    `parts` are a module's parts from the crop on, of which the first can be frozen. Where
    `side_step` is not None, the network takes other sides than `input`'s, multiples of it.
    """

    name: str
    description: str
    dimension: int
    input: InputSpec
    build: Callable[[int, int], nn.Module]
    parts: Callable[[nn.Module], Sequence[nn.Module]]
    side_step: int | None = None

    def input_at(self, size_px: int | None) -> InputSpec:
        """Raises ValueError where the network cannot take crops of that side."""
        if size_px is None or size_px == self.input.size_px:
            return self.input
        if self.side_step is None:
            raise ValueError(f"{self.name} takes crops of {self.input.size_px} px only")
        if size_px % self.side_step:
            raise ValueError(f"{self.name} takes crops of a multiple of {self.side_step} px")
        return InputSpec(size_px, arcface_template(size_px), self.input.mean, self.input.std)


@runtime_checkable
class Divisible(Protocol):
    """A network that can be run in two pieces, so that what comes out of the first is kept."""

    def begin(self, crops: Tensor, parts: int) -> Tensor:
        """What comes out of the first `parts` of `Architecture.parts`, 1 or more."""
        ...

    def finish(self, x: Tensor, parts: int) -> Tensor:
        """Embeddings, as `forward` gives them, of what came out of the first `parts`."""
        ...


@dataclass(frozen=True, slots=True)
class Recipe:
    """An architecture by name, the crop's side, and what was put behind it.

    `head` maps embeddings of length `backbone_dimension`, normalised, to `dimension`; with `none`
    the two are equal.
    """

    architecture: str
    size_px: int
    backbone_dimension: int
    dimension: int
    head: HeadKind = "none"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def input(self) -> InputSpec:
        return find_architecture(self.architecture).input_at(self.size_px)


class Headed(nn.Module):
    """A network, and a map of its embeddings behind it."""

    def __init__(self, backbone: nn.Module, recipe: Recipe) -> None:
        super().__init__()
        self.backbone = backbone
        inside, outside = recipe.backbone_dimension, recipe.dimension
        if recipe.head == "linear":
            self.head: nn.Module = nn.Linear(inside, outside, bias=False)
        else:
            self.head = nn.Sequential(
                nn.Linear(inside, 2 * inside), nn.PReLU(), nn.Linear(2 * inside, outside)
            )

    def forward(self, crops: Tensor) -> Tensor:
        return self.head(functional.normalize(self.backbone(crops)))  # type: ignore[no-any-return]


def build(recipe: Recipe) -> nn.Module:
    """From crops, normalised, to embeddings of any length. Raises UnknownNetworkError."""
    architecture = find_architecture(recipe.architecture)
    backbone = architecture.build(recipe.backbone_dimension, recipe.size_px)
    return backbone if recipe.head == "none" else Headed(backbone, recipe)


def find_architecture(name: str) -> Architecture:
    found = ARCHITECTURES.get(name)
    if found is None:
        raise UnknownNetworkError(f"no network {name!r}; it is one of {', '.join(ARCHITECTURES)}")
    return found


def _dlib(dimension: int, _: int) -> nn.Module:
    network = DlibResNet()
    if dimension != network.project.out_features:
        network.project = nn.Linear(network.project.in_features, dimension, bias=False)
    return network


def _dlib_parts(network: nn.Module) -> list[nn.Module]:
    return [_child(network, "stem"), *_child(network, "blocks").children()]


def _small_parts(network: nn.Module) -> list[nn.Module]:
    """Each convolution with what follows it."""
    layers = list(_child(network, "features").children())
    return [nn.ModuleList(layers[start : start + 3]) for start in (0, 3, 6)]


def _inception(dimension: int, _: int) -> nn.Module:
    # Here, because facenet-pytorch brings much along that other networks do without.
    from models.zoo.networks.inception_resnet import FaceInception  # noqa: PLC0415

    return FaceInception(dimension)


_INCEPTION_PARTS = (
    *("conv2d_1a", "conv2d_2a", "conv2d_2b", "conv2d_3b", "conv2d_4a", "conv2d_4b"),
    *("repeat_1", "mixed_6a", "repeat_2", "mixed_7a", "repeat_3", "block8"),
)


def _child(network: nn.Module, name: str) -> nn.Module:
    return network.get_submodule(name)


def _iresnet(depth: int) -> Architecture:
    return Architecture(
        name=f"iresnet-{depth}",
        description=f"IResNet-{depth} of InsightFace (Deng et al., 2019)",
        dimension=512,
        input=_ARCFACE_112,
        build=lambda dimension, side: IResNet(depth, dimension=dimension, side=side),
        parts=lambda network: network.parts(),  # type: ignore[operator]
        side_step=16,
    )


_ARCFACE_112 = InputSpec(
    size_px=112,
    template=arcface_template(112),
    mean=(127.5, 127.5, 127.5),
    std=(127.5, 127.5, 127.5),
)

DLIB_INPUT = InputSpec(
    size_px=150,
    template=DLIB_150,
    mean=(122.782, 117.001, 104.298),
    std=(256.0, 256.0, 256.0),
)

FACENET_INPUT = InputSpec(
    size_px=160,
    template=FACENET_160,
    mean=(127.5, 127.5, 127.5),
    std=(128.0, 128.0, 128.0),
)

SFACE_INPUT = InputSpec(
    size_px=112,
    template=arcface_template(112),
    mean=(127.5, 127.5, 127.5),
    std=(128.0, 128.0, 128.0),
)

ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {
        one.name: one
        for one in (
            Architecture(
                name="dlib-resnet",
                description="dlib's ResNet, 29 convolutions, its normalisation folded (King, 2017)",
                dimension=128,
                input=DLIB_INPUT,
                build=_dlib,
                parts=_dlib_parts,
            ),
            Architecture(
                name="sface",
                description="SFace, a MobileNet with its normalisation folded (Zhong et al., 2021)",
                dimension=128,
                input=SFACE_INPUT,
                build=lambda dimension, _: SFace(dimension=dimension),
                parts=lambda network: network.parts(),  # type: ignore[operator]
            ),
            Architecture(
                name="inception-resnet-v1",
                description="InceptionResnetV1 of FaceNet (Schroff et al., 2015)",
                dimension=512,
                input=FACENET_INPUT,
                build=_inception,
                parts=lambda network: [_child(network, name) for name in _INCEPTION_PARTS],
            ),
            _iresnet(18),
            _iresnet(50),
            Architecture(
                name="mobilefacenet",
                description="MobileFaceNet, a million parameters (Chen et al., 2018)",
                dimension=128,
                input=_ARCFACE_112,
                build=lambda dimension, side: MobileFaceNet(dimension=dimension, side=side),
                parts=lambda network: network.parts(),  # type: ignore[operator]
                side_step=16,
            ),
            Architecture(
                name="small-cnn",
                description="three convolutions, for trying things out",
                dimension=64,
                input=InputSpec(64, arcface_template(64), _ARCFACE_112.mean, _ARCFACE_112.std),
                build=lambda dimension, side: SmallCnn(dimension, side=side),
                parts=_small_parts,
                side_step=1,
            ),
        )
    }
)
