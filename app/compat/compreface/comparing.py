"""Faces of a photo that were compared with one face."""

from dataclasses import dataclass

from app.compat.compreface.query import PhotoOptions
from app.compat.compreface.similarities import compared
from app.operations.enroll.photo_subject import PassedOverReason
from app.operations.identify.verification import Comparison, Verification
from app.operations.identify.verify_options import VerifyOptions
from app.operations.policy.face_rules import VerifyFaces
from app.recognition.types import DetectedFace, Embedding
from app.settings import Limits


@dataclass(frozen=True, slots=True)
class Match:
    """A face of a photo, and how alike it is; 0 for one that is too bad to be compared."""

    face: DetectedFace
    embedding: Embedding | None
    similarity: float


def verify_options(options: PhotoOptions, limits: Limits) -> VerifyOptions:
    """Return the options of a comparison with each face of a photo."""
    return VerifyOptions(
        faces=VerifyFaces.ANY,
        detection=options.detection,
        max_faces=options.most_faces(limits),
    )


def source_rule(options: PhotoOptions) -> VerifyFaces:
    """Return the rule for the photo of one face: the limit of faces counts for it, too."""
    return VerifyFaces.LARGEST if options.limit == 1 else VerifyFaces.SINGLE


def matches_of(done: Verification, *, photo: int) -> list[Match]:
    """Return each face of a photo, largest first. `photo`: its place among the photos sent."""
    found = [_match(one, photo) for one in done.comparisons]
    if done.rejected and not found:
        found = [Match(done.faces[photo], None, 0.0)]
    found += [
        Match(other.face, None, 0.0)
        for place, other in done.passed_over
        if place == photo and PassedOverReason.BEYOND_LIMIT not in other.reasons
    ]
    return sorted(found, key=lambda match: -match.face.area_px)


def _match(one: Comparison, photo: int) -> Match:
    face = one.embedded[photo]
    return Match(face.face, face.embedding, compared(one))
