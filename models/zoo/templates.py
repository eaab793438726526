"""Positions of landmarks in a network's crops: eyes (left of the image first), nose, mouth.

A template is part of a network: crops by another template give bad embeddings.
"""

from collections.abc import Mapping
from types import MappingProxyType

from models.zoo.names import TemplateName
from models.zoo.network import Template

DLIB_150: Template = (
    (48.58, 46.69),
    (102.53, 46.80),
    (75.47, 78.02),
    (51.58, 105.49),
    (99.00, 105.68),
)
"""MTCNN's landmarks in the crops (150 px, padding 0.25) of dlib's own 5-point predictor."""

FACENET_160: Template = (
    (53.1, 64.0),
    (108.4, 64.3),
    (80.9, 95.1),
    (57.1, 122.0),
    (104.1, 122.3),
)
"""MTCNN's landmarks in MTCNN's boxes scaled to 160 px, the crops of facenet-pytorch.

Mean over the faces of Labeled Faces in the Wild.
"""

_ARCFACE_112: Template = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)


_BY_NAME: Mapping[TemplateName, tuple[int, Template]] = MappingProxyType(
    {"arcface": (112, _ARCFACE_112), "dlib": (150, DLIB_150), "facenet": (160, FACENET_160)}
)
"""Templates with the side of their published crop, in pixels."""


def scaled_template(name: TemplateName, size_px: int) -> Template:
    """A template, scaled to a crop with sides of `size_px` pixels."""
    published_px, points = _BY_NAME[name]
    factor = size_px / published_px
    left, right, nose, mouth_left, mouth_right = ((x * factor, y * factor) for x, y in points)
    return left, right, nose, mouth_left, mouth_right


def arcface_template(size_px: int) -> Template:
    """The 112 px template of InsightFace (Deng et al., 2019), scaled to another crop size."""
    return scaled_template("arcface", size_px)
