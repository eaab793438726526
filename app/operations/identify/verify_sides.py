"""The two sides of a 1:1 comparison: the faces of a photo that are compared.

Of a photo of one person, it is one face. Of a group it may be each face, as the person is searched
among them; so a stranger in the photo has as many chances as there are faces.
"""

from dataclasses import dataclass

from app.errors import RejectedImage
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
from app.recognition.types import EmbeddedFace, EmbeddedPhoto

_MOST_COMPARED = 32
"""Faces of a group that are compared, largest first; the others are passed over."""


def selection_of(rule: VerifyFaces) -> Selection:
    """The selection of faces that `side_of` needs."""
    if rule is VerifyFaces.ANY:
        return largest_faces(_MOST_COMPARED)
    return candidates(FaceRule(rule))


@dataclass(frozen=True, slots=True)
class SideFace:
    """A face to compare; `index` is its place among all faces of the photo, largest first."""

    index: int
    embedded: EmbeddedFace


@dataclass(frozen=True, slots=True)
class Side:
    """The faces of a photo that are compared.

    `refused` says why none is: no face is the subject (no `faces`), or the face that is shown is
    not good enough.
    """

    faces: tuple[SideFace, ...]
    refused: RejectedImage | None = None
    passed_over: tuple[PassedOver, ...] = ()


def side_of(
    photo: EmbeddedPhoto, image_index: int, rule: VerifyFaces, quality_filter: QualityFilter
) -> Side:
    """The side of a photo whose `selection_of(rule)` was embedded."""
    if rule is VerifyFaces.ANY:
        return _group(photo, image_index, quality_filter)
    found = find_subject(photo, image_index, FaceRule(rule), quality_filter)
    faces = () if found.face is None else (SideFace(_place(photo, found.face), found.face),)
    return Side(faces, found.refused, found.passed_over)


def _group(photo: EmbeddedPhoto, image_index: int, quality_filter: QualityFilter) -> Side:
    if not photo.faces:
        return Side((), no_face(photo, image_index))
    lacking = [shortcomings(face.quality, quality_filter) for face in photo.faces]
    every = [SideFace(_place(photo, face), face) for face in photo.faces]
    good = [face for face, why in zip(every, lacking, strict=True) if not why]
    if not good:
        return Side((every[0],), bad_face(photo, image_index, lacking[0]))
    bad = [
        PassedOver(face.embedded.face, tuple(map(str, why.reasons)))
        for face, why in zip(every, lacking, strict=True)
        if why
    ]
    left_out = (PassedOverReason.BEYOND_LIMIT,)
    beyond = [PassedOver(face, left_out) for face in photo.detected[len(every) :]]
    return Side(tuple(good), passed_over=(*bad, *beyond))


def _place(photo: EmbeddedPhoto, wanted: EmbeddedFace) -> int:
    boxes = [face.box for face in photo.detected]
    return boxes.index(wanted.face.box)
