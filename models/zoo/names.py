"""Names of networks and templates, without what loads them."""

from typing import Final, Literal

DEFAULT_NETWORK: Final = "sface"
"""The embedder of a gallery without faces, unless the settings name one."""

ZOO_NAMES: Final = ("dlib-resnet", "sface", "facenet-vggface2", "facenet-casia-webface")

AUTO_EMBEDDER: Final = "auto"
"""What the service takes for the choice of an embedder, and not for its name."""

FORMER_ONNX: Final = "onnx"
"""Name under which version 0.1.0 served any .onnx file. Galleries may rest on it: the file is then
registered under this name."""

TemplateName = Literal["arcface", "dlib", "facenet"]
"""Templates for the landmarks in a crop; see `templates.py`."""

Colours = Literal["rgb", "bgr"]
"""Order of the colour channels that a network takes."""
