"""The two sides of a 1:1 comparison, and the faces of a photo that are compared.

Of a photo of one person, it is one face. Of a group it may be each face, as the person is searched
among them; so a stranger in the photo has as many chances as there are faces.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.errors import RejectedImage
from app.gallery.search.side_comparison import EnrolledSide
from app.operations.enroll.photo_rejections import bad_face, no_face
from app.operations.enroll.photo_subject import (
    PassedOver,
    PassedOverReason,
    candidates,
    find_subject,
)
from app.operations.policy.face_rules import FaceRule, QualityFilter, VerifyFaces
from app.operations.policy.quality_filter import shortcomings
from app.recognition.select import Selection, largest_faces
from app.recognition.types import EmbeddedFace, EmbeddedPhoto, ImageSize


@dataclass(frozen=True, slots=True)
class PhotoSide:
    """A photo; `faces` is the rule for several faces on it, None: that of the options.

    `name` is what errors call it.
    """

    image: bytes
    faces: VerifyFaces | None = None
    name: str = "image"


@dataclass(frozen=True, slots=True)
class EmbeddingSide:
    """An embedding that the caller computed with the service's embedder, of any length but 0."""

    values: Sequence[float]


SideToCompare = PhotoSide | EmbeddingSide | EnrolledSide


def selection_of(rule: VerifyFaces, *, max_faces: int) -> Selection:
    """The selection of faces that `faces_of` needs; `max_faces` of a group."""
    if rule is VerifyFaces.ANY:
        return largest_faces(max_faces)
    return candidates(FaceRule(rule))


@dataclass(frozen=True, slots=True)
class SideFace:
    """A face to compare; `index` is its place among all faces of the photo, largest first."""

    index: int
    embedded: EmbeddedFace


@dataclass(frozen=True, slots=True)
class PhotoFaces:
    """The faces of a photo of this `size` that are compared.

    `refused` says why none is: no face is the subject (no `faces`), or the face that is shown is
    not good enough.
    """

    size: ImageSize
    faces: tuple[SideFace, ...]
    refused: RejectedImage | None = None
    passed_over: tuple[PassedOver, ...] = ()


def faces_of(
    photo: EmbeddedPhoto, image_index: int, rule: VerifyFaces, quality_filter: QualityFilter
) -> PhotoFaces:
    """The faces to compare of a photo whose `selection_of(rule)` was embedded."""
    if rule is VerifyFaces.ANY:
        return _group(photo, image_index, quality_filter)
    found = find_subject(photo, image_index, FaceRule(rule), quality_filter)
    faces = () if found.face is None else (SideFace(_place(photo, found.face), found.face),)
    return PhotoFaces(photo.size, faces, found.refused, found.passed_over)


def _group(photo: EmbeddedPhoto, image_index: int, quality_filter: QualityFilter) -> PhotoFaces:
    if not photo.faces:
        return PhotoFaces(photo.size, (), no_face(photo, image_index))
    lacking = [shortcomings(face.quality, quality_filter) for face in photo.faces]
    every = [SideFace(_place(photo, face), face) for face in photo.faces]
    good = [face for face, why in zip(every, lacking, strict=True) if not why]
    if not good:
        return PhotoFaces(photo.size, (every[0],), bad_face(photo, image_index, lacking[0]))
    bad = [
        PassedOver(face.embedded.face, tuple(map(str, why.reasons)))
        for face, why in zip(every, lacking, strict=True)
        if why
    ]
    left_out = (PassedOverReason.BEYOND_LIMIT,)
    beyond = [PassedOver(face, left_out) for face in photo.detected[len(every) :]]
    return PhotoFaces(photo.size, tuple(good), passed_over=(*bad, *beyond))


def _place(photo: EmbeddedPhoto, wanted: EmbeddedFace) -> int:
    boxes = [face.box for face in photo.detected]
    return boxes.index(wanted.face.box)
