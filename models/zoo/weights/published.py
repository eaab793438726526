"""Published weights as states, to begin training with."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from models.zoo.errors import WeightsMissingError
from models.zoo.networks import dlib_resnet, sface

INSTALLED = frozenset({"dlib-resnet", "sface"})
"""Architectures whose published weights come with the installation."""


def published_state(architecture: str, weights_dir: Path) -> Mapping[str, Tensor]:
    """The published weights of an architecture.

    Those of FaceNet (VGGFace2) are fetched into `weights_dir`. Raises WeightsMissingError for an
    architecture without published weights, or where they cannot be fetched.
    """
    if architecture == "dlib-resnet":
        return dlib_resnet.load()[0].state_dict()
    if architecture == "sface":
        return sface.load()[0].state_dict()
    if architecture == "inception-resnet-v1":
        # Imported here, because facenet-pytorch imports much that other networks do not need.
        from models.zoo.networks import facenet  # noqa: PLC0415

        network, _ = facenet.load("facenet-vggface2", weights_dir=weights_dir)
        return network.state_dict()
    raise WeightsMissingError(
        f"Vultus knows no published weights of {architecture}; name a file with "
        "network.weights, or begin from scratch with network.weights=scratch"
    )
