"""The networks of the zoo by name, without what loads them."""

from typing import Final

DEFAULT_NETWORK: Final = "sface"
"""The embedder of a gallery without faces, unless the settings name one."""

ZOO_NAMES: Final = (
    "dlib-resnet",
    "sface",
    "facenet-vggface2",
    "facenet-casia-webface",
    "onnx",
)
