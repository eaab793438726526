"""The networks that can be trained, by name: how to build each, and the crop that it takes.

A `Recipe` describes a built network, so that its weights can be loaded again anywhere. The networks
are modules of PyTorch, which is imported where one is built.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from models.zoo.errors import UnknownNetworkError
from models.zoo.network import InputSpec
from models.zoo.templates import DLIB_150, FACENET_160, arcface_template

if TYPE_CHECKING:
    from torch import nn

HeadKind = Literal["none", "linear", "mlp"]


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network that can be trained.

    `build` makes it with random weights, from the dimension and the crop's side in pixels; the
    module is `Parted`. With a `side_step`, the network takes crops of any side that is a multiple
    of it, else only that of `input`. `published` loads the published weights, if there are any, and
    raises WeightsError; its argument is the folder of fetched weights. `installed`: the published
    weights come with the installation.
    """

    name: str
    description: str
    dimension: int
    input: InputSpec
    build: Callable[[int, int], "nn.Module"]
    side_step: int | None = None
    published: Callable[[Path], "nn.Module"] | None = None
    installed: bool = False

    def input_at(self, size_px: int | None) -> InputSpec:
        """The input for crops of that side; by default, that of the network.

        Raises ValueError where the network cannot take crops of that side.
        """
        if size_px is None or size_px == self.input.size_px:
            return self.input
        if self.side_step is None:
            raise ValueError(f"{self.name} takes crops of {self.input.size_px} px only")
        if size_px % self.side_step:
            raise ValueError(f"{self.name} takes crops of a multiple of {self.side_step} px")
        return replace(self.input, size_px=size_px, template=arcface_template(size_px))


@dataclass(frozen=True, slots=True)
class Recipe:
    """An architecture by name, the crop's side, and the head behind it.

    `head` maps normalised embeddings of length `backbone_dimension` to `dimension`; with `none`,
    the two are equal.
    """

    architecture: str
    size_px: int
    backbone_dimension: int
    dimension: int
    head: HeadKind = "none"

    @property
    def input(self) -> InputSpec:
        return find_architecture(self.architecture).input_at(self.size_px)


def build(recipe: Recipe) -> "nn.Module":
    """The network, with random weights: from normalised crops to embeddings of any length.

    Raises UnknownNetworkError.
    """
    architecture = find_architecture(recipe.architecture)
    backbone = architecture.build(recipe.backbone_dimension, recipe.size_px)
    if recipe.head == "none":
        return backbone
    from models.zoo.networks.headed import Headed  # noqa: PLC0415

    return Headed(backbone, recipe)


def find_architecture(name: str) -> Architecture:
    """Raises UnknownNetworkError."""
    found = ARCHITECTURES.get(name)
    if found is None:
        raise UnknownNetworkError(f"no network {name!r}; it is one of {', '.join(ARCHITECTURES)}")
    return found


def _dlib(dimension: int, _side: int) -> "nn.Module":
    from models.zoo.networks.dlib_resnet import DlibResNet  # noqa: PLC0415

    return DlibResNet(dimension=dimension)


def _published_dlib(_: Path) -> "nn.Module":
    from models.zoo.networks import dlib_weights  # noqa: PLC0415

    return dlib_weights.load()[0].module()


def _sface(dimension: int, _side: int) -> "nn.Module":
    from models.zoo.networks.sface import SFace  # noqa: PLC0415

    return SFace(dimension=dimension)


def _published_sface(_: Path) -> "nn.Module":
    from models.zoo.networks import sface_weights  # noqa: PLC0415

    return sface_weights.load()[0].module()


def _inception(dimension: int, _side: int) -> "nn.Module":
    from models.zoo.networks.inception_resnet import FaceInception  # noqa: PLC0415

    return FaceInception(dimension)


def _published_inception(weights_dir: Path) -> "nn.Module":
    """facenet-pytorch's weights of VGGFace2."""
    from models.zoo.networks import facenet  # noqa: PLC0415

    return facenet.load("facenet-vggface2", weights_dir=weights_dir)[0]


def _mobilefacenet(dimension: int, side: int) -> "nn.Module":
    from models.zoo.networks.mobilefacenet import MobileFaceNet  # noqa: PLC0415

    return MobileFaceNet(dimension=dimension, side=side)


def _small_cnn(dimension: int, side: int) -> "nn.Module":
    from models.zoo.networks.small_cnn import SmallCnn  # noqa: PLC0415

    return SmallCnn(dimension, side=side)


_MIDDLE = (127.5, 127.5, 127.5)
_TO_128 = (128.0, 128.0, 128.0)

DLIB_INPUT = InputSpec(150, DLIB_150, mean=(122.782, 117.001, 104.298), std=(256.0, 256.0, 256.0))
FACENET_INPUT = InputSpec(160, FACENET_160, mean=_MIDDLE, std=_TO_128)
SFACE_INPUT = InputSpec(112, arcface_template(112), mean=_MIDDLE, std=_TO_128)
_ARCFACE_INPUT = InputSpec(112, arcface_template(112), mean=_MIDDLE, std=_MIDDLE)


def _iresnet(depth: int) -> Architecture:
    def make(dimension: int, side: int) -> "nn.Module":
        from models.zoo.networks.iresnet import IResNet  # noqa: PLC0415

        return IResNet(depth, dimension=dimension, side=side)

    return Architecture(
        name=f"iresnet-{depth}",
        description=f"IResNet-{depth} of InsightFace (Deng et al., 2019)",
        dimension=512,
        input=_ARCFACE_INPUT,
        build=make,
        side_step=16,
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
                published=_published_dlib,
                installed=True,
            ),
            Architecture(
                name="sface",
                description="SFace, a MobileNet with its normalisation folded (Zhong et al., 2021)",
                dimension=128,
                input=SFACE_INPUT,
                build=_sface,
                published=_published_sface,
                installed=True,
            ),
            Architecture(
                name="inception-resnet-v1",
                description="InceptionResnetV1 of FaceNet (Schroff et al., 2015)",
                dimension=512,
                input=FACENET_INPUT,
                build=_inception,
                published=_published_inception,
            ),
            _iresnet(18),
            _iresnet(50),
            Architecture(
                name="mobilefacenet",
                description="MobileFaceNet, a million parameters (Chen et al., 2018)",
                dimension=128,
                input=_ARCFACE_INPUT,
                build=_mobilefacenet,
                side_step=16,
            ),
            Architecture(
                name="small-cnn",
                description="three convolutions, for trying things out",
                dimension=64,
                input=replace(_ARCFACE_INPUT, size_px=64, template=arcface_template(64)),
                build=_small_cnn,
                side_step=1,
            ),
        )
    }
)
