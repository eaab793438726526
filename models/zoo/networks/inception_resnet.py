"""InceptionResnetV1 for training: with any dimension, and embeddings of any length."""

from facenet_pytorch import InceptionResnetV1
from torch import Tensor, nn

_OWN_DIMENSION = 512
_FEATURES = 1792
_PARTS = (
    *("conv2d_1a", "conv2d_2a", "conv2d_2b", "conv2d_3b", "conv2d_4a", "conv2d_4b"),
    *("repeat_1", "mixed_6a", "repeat_2", "mixed_7a", "repeat_3", "block8"),
)


class FaceInception(InceptionResnetV1):  # type: ignore[misc]
    """facenet-pytorch's network, with its names of parameters, without the last normalisation.

    Some losses use the length of an embedding; the service normalises embeddings anyway.
    """

    def __init__(self, dimension: int = 512) -> None:
        super().__init__(pretrained=None, classify=False)
        if dimension != _OWN_DIMENSION:
            self.last_linear = nn.Linear(_FEATURES, dimension, bias=False)
            self.last_bn = nn.BatchNorm1d(dimension, eps=0.001, momentum=0.1)

    def parts(self) -> list[nn.Module]:
        """The parts from the crop on, without the last layers, which make the embedding."""
        return [self.get_submodule(name) for name in _PARTS]

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv2d_2b(self.conv2d_2a(self.conv2d_1a(x)))
        x = self.conv2d_4a(self.conv2d_3b(self.maxpool_3a(x)))
        x = self.repeat_1(self.conv2d_4b(x))
        x = self.repeat_2(self.mixed_6a(x))
        x = self.block8(self.repeat_3(self.mixed_7a(x)))
        x = self.dropout(self.avgpool_1a(x).flatten(1))
        embeddings: Tensor = self.last_bn(self.last_linear(x))
        return embeddings
