"""Names of networks and templates, without the code that loads them."""

from typing import Final, Literal

DEFAULT_NETWORK: Final = "sface"
"""The embedder of a database without faces, if the user has not chosen one."""

ZOO_NAMES: Final = ("dlib-resnet", "sface", "facenet-vggface2", "facenet-casia-webface")

AUTO_EMBEDDER: Final = "auto"
"""The choice of an embedder by the faces in the database; no network may have this name."""

FORMER_ONNX: Final = "onnx"
"""The name of any .onnx file in version 0.1.0. Collections may still use it: such a file must be
registered under this name."""

TemplateName = Literal["arcface", "dlib", "facenet"]
"""Templates for the landmarks in a crop; see `templates.py`."""

Colours = Literal["rgb", "bgr"]
"""Order of the colour channels of a network's input."""

Triple = tuple[float, float, float]
"""One value for each colour channel."""
