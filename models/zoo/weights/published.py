"""Published weights as states, to begin training with."""

from collections.abc import Mapping
from pathlib import Path

import face_recognition_models
from torch import Tensor

from models.zoo.errors import WeightsMissingError
from models.zoo.networks import dlib_resnet, sface


def published_state(architecture: str, weights_dir: Path) -> Mapping[str, Tensor]:
    """dlib's and SFace's come with the installation; FaceNet's (VGGFace2) are fetched into
    `weights_dir`.

    Raises WeightsMissingError for networks without any, or where they cannot be had.
    """
    if architecture == "dlib-resnet":
        module, _ = dlib_resnet.load(
            Path(face_recognition_models.face_recognition_model_location())
        )
        return module.state_dict()
    if architecture == "sface":
        return sface.load()[0].state_dict()
    if architecture == "inception-resnet-v1":
        # Here, because facenet-pytorch brings much along that other networks do without.
        from models.zoo.networks import facenet  # noqa: PLC0415

        network, _ = facenet.load("facenet-vggface2", weights_dir=weights_dir)
        return network.state_dict()
    raise WeightsMissingError(
        f"Vultus knows no published weights of {architecture}; name a file with "
        "network.weights, or begin from scratch with network.weights=scratch"
    )
