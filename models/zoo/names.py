"""The networks of the zoo by name, without what loads them."""

from typing import Final

ZOO_NAMES: Final = (
    "dlib-resnet",
    "sface",
    "vultus-resnet",
    "facenet-vggface2",
    "facenet-casia-webface",
    "onnx",
)
