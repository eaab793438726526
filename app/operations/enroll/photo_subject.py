"""The subject of a photo of one person, and the faces that are passed over.

A photo of one person may show others: a blurred passer-by, a face on a poster. A face that cannot
be used, or that is much smaller than the largest, does not make it a photo of several people.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.errors import RejectedImage
from app.operations.enroll.photo_rejections import bad_face, no_face, several_faces
from app.operations.policy.face_rules import FaceRule, QualityFilter
from app.operations.policy.quality_filter import Shortcomings, shortcomings
from app.recognition.select import Selection, largest_face, prominent_faces
from app.recognition.types import DetectedFace, EmbeddedFace, EmbeddedPhoto

_TINY_SHARE = 1 / 3
"""Share of the largest face's side, below which another face is passed over."""

_MOST_COMPARED = 10
"""Faces of a photo that are assessed. A photo with more faces of that size shows a crowd."""


class PassedOverReason(StrEnum):
    """Reasons why a face was not used, beside those of `errors.Reason`; stable codes."""

    MUCH_SMALLER = "much_smaller"
    NOT_LARGEST = "not_largest"
    """Only the largest face was asked for."""
    BEYOND_LIMIT = "beyond_limit"
    """As many larger faces as the limit allows are compared, or enrolled, already."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A face that was not used, of a photo of which another one was; `reasons` are codes."""

    face: DetectedFace
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """The face of the person, or why there is none (`refused`).

    If no face of the photo is good enough, `face` is the largest, and `refused` says why.
    """

    face: EmbeddedFace | None
    refused: RejectedImage | None = None
    passed_over: tuple[PassedOver, ...] = ()


def candidates(rule: FaceRule) -> Selection:
    """The selection of faces among which `find_subject` chooses."""
    if rule is FaceRule.LARGEST:
        return largest_face
    return prominent_faces(_MOST_COMPARED, _TINY_SHARE)


def find_subject(
    photo: EmbeddedPhoto, image_index: int, rule: FaceRule, quality_filter: QualityFilter
) -> Subject:
    """The subject of a photo whose `candidates` were embedded."""
    if not photo.faces:
        return Subject(None, no_face(photo, image_index))
    lacking = [shortcomings(face.quality, quality_filter) for face in photo.faces]
    good = [place for place, why in enumerate(lacking) if not why]
    if not good:
        return Subject(photo.faces[0], bad_face(photo, image_index, lacking[0]))
    is_crowd = rule is FaceRule.SINGLE and len(photo.faces) < _prominent_count(photo)
    if len(good) > 1 or is_crowd:
        return Subject(None, several_faces(photo, image_index))
    return Subject(photo.faces[good[0]], passed_over=_passed_over(photo, rule, good[0], lacking))


def _prominent_count(photo: EmbeddedPhoto) -> int:
    return len(prominent_faces(len(photo.detected), _TINY_SHARE)(photo.detected, photo.size))


def _passed_over(
    photo: EmbeddedPhoto, rule: FaceRule, subject: int, lacking: Sequence[Shortcomings]
) -> tuple[PassedOver, ...]:
    """The faces other than the subject, largest first."""
    why = {
        face.face.box: tuple(map(str, own.reasons))
        for face, own in zip(photo.faces, lacking, strict=True)
    }
    other: tuple[str, ...] = (
        PassedOverReason.NOT_LARGEST if rule is FaceRule.LARGEST else PassedOverReason.MUCH_SMALLER,
    )
    return tuple(
        PassedOver(face, why.get(face.box, other))
        for face in photo.detected
        if face.box != photo.faces[subject].face.box
    )
