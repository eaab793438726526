"""FaceNet's InceptionResnetV1 with facenet-pytorch's published weights.

Schroff et al., 2015 (FaceNet); Szegedy et al., 2016 (Inception-ResNet). The weights were trained
by softmax on VGGFace2 or CASIA-WebFace and converted by facenet-pytorch from davidsandberg/facenet.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import torch
from torch import nn

from models.files import file_sha256
from models.zoo.errors import WeightsInvalidError, WeightsMissingError

_RELEASE = "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/"
FILES = {
    "facenet-vggface2": "20180402-114759-vggface2.pt",
    "facenet-casia-webface": "20180408-102900-casia-webface.pt",
}

_SILENCE_S = 30.0

Download = Callable[[str, str], None]
"""(URL, path): fetch the URL to the path, or raise OSError."""


def load(
    name: str,
    *,
    weights_dir: Path,
    weights_path: Path | None = None,
    download: Download | None = None,
) -> tuple[nn.Module, str]:
    """Build the network `name`; return it with the SHA-256 of its weights file.

    The file is `weights_path` if given, else the published one in `weights_dir`. If it is missing
    there, `download` fetches it, by default the library, with a progress bar.

    Raises WeightsMissingError when the file is missing and cannot be fetched, WeightsInvalidError
    when it does not contain this network's parameters.
    """
    # Imported here, because the import takes as long as that of PyTorch.
    from facenet_pytorch import InceptionResnetV1  # noqa: PLC0415
    from facenet_pytorch.models.utils.download import download_url_to_file  # noqa: PLC0415

    path = weights_path or _fetched(FILES[name], weights_dir, download or download_url_to_file)
    if not path.is_file():
        raise WeightsMissingError(
            f"there is no weights file {path}; expected {FILES[name]}", option="weights_path"
        )
    network: nn.Module = InceptionResnetV1(pretrained=None, classify=False)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        # The published files contain the classifier of the training, which is not needed.
        embedding = {key: value for key, value in state.items() if not key.startswith("logits.")}
        network.load_state_dict(embedding, strict=True)
    # torch.load raises unpickling, zip and runtime errors; a state that is no dict has no items
    except Exception as error:
        raise WeightsInvalidError(
            f"{path} does not contain the weights of {name} ({type(error).__name__}: "
            f"{str(error)[:200]}); expected {FILES[name]}, which is fetched again once the file is "
            "deleted",
            option="weights_path",
        ) from error
    return network.eval(), file_sha256(path)


def _fetched(filename: str, weights_dir: Path, download: Download) -> Path:
    path = weights_dir / filename
    if path.exists():
        return path
    url = _RELEASE + filename
    try:
        weights_dir.mkdir(parents=True, exist_ok=True)
        with _socket_timeout(_SILENCE_S):
            download(url, str(path))
    except (URLError, OSError) as error:
        raise WeightsMissingError(
            f"cannot fetch {url} ({error}); put the file into {weights_dir}, or use the network "
            "dlib-resnet, whose weights are installed",
            option="weights_path",
        ) from error
    return path


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """Limit each wait for the network, as the library's download has no timeout.

    It runs at the start, before any other thread opens a socket.
    """
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
