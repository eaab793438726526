"""The result of a 1:1 comparison."""

from dataclasses import dataclass, field
from enum import StrEnum

from app.errors import RejectedImage
from app.gallery.records import Identity
from app.operations.enroll.photo_subject import PassedOver
from app.operations.policy.rate_claims import RateReason
from app.operations.policy.rate_scale import RateScale
from app.recognition.types import DetectedFace, EmbeddedFace, FaceQuality, ImageSize, ModelId
from models.evaluation.calibration.similarity_map import ErrorRate


class VerifyStatus(StrEnum):
    MATCH = "match"
    NO_MATCH = "no_match"
    REJECTED = "rejected"
    """A face is not good enough to be compared."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The similarity of two faces, or of a face and a person; None where it is withheld.

    `embedded` are the faces of photos (none of an embedding or of what is enrolled), and `indices`
    their places among all faces of their photos, largest first. `threshold` is the similarity that
    would be a match, and `scale` has the rates around it.
    """

    indices: tuple[int, ...]
    embedded: tuple[EmbeddedFace, ...]
    similarity: float | None
    scale: RateScale

    @property
    def faces(self) -> tuple[DetectedFace, ...]:
        return tuple(one.face for one in self.embedded)

    @property
    def qualities(self) -> tuple[FaceQuality, ...]:
        return tuple(one.quality for one in self.embedded)

    @property
    def threshold(self) -> float:
        return self.scale.threshold


@dataclass(frozen=True, slots=True)
class Enrolled:
    """An enrolled person or face that was compared.

    `face_id` is the person's face that is most similar, None where that is withheld, or the face
    itself; `examples` is the number of faces that the similarity was taken to. Both are None where
    nothing was compared.
    """

    identity: Identity
    face_id: str | None = None
    examples: int | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """The decision; `match`: `similarity` (the cosine) reaches `threshold`.

    `fmr` is the probability that two strangers are at least this similar, None for the reason
    `rate_reason`. `rejected` are the photos whose face is not good enough: there is no match then,
    and `similarity` is None, as nothing was compared. `faces` are the compared faces, one of each
    photo. `enrolled_a` and `enrolled_b` are there where that side is an enrolled person or face.
    `model` is the embedder, and `sizes` are those of the photos, in the order of the request.

    If each face of a group is compared, these values are those of the comparison that is nearest to
    a match, and `comparisons` are all of them, most similar first. Threshold and rate are those of
    all comparisons: k comparisons have a false match k times as often as one. If one of the
    compared faces is below the quality floor, no rate holds. `passed_over` are faces that were not
    compared, each with the place of its photo in the request. Below `shown_from`, similarities to
    what is enrolled are withheld, and with them which face is how alike; see `disclosure`.
    """

    match: bool
    similarity: float | None
    threshold: float
    fmr: ErrorRate | None
    rate_reason: RateReason | None
    faces: tuple[DetectedFace, ...]
    enrolled_a: Enrolled | None = None
    enrolled_b: Enrolled | None = None
    rejected: tuple[RejectedImage, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    passed_over: tuple[tuple[int, PassedOver], ...] = ()
    shown_from: float | None = None
    model: ModelId = field(kw_only=True)
    sizes: tuple[ImageSize, ...] = field(default=(), kw_only=True)

    @property
    def status(self) -> VerifyStatus:
        if self.rejected:
            return VerifyStatus.REJECTED
        return VerifyStatus.MATCH if self.match else VerifyStatus.NO_MATCH

    @property
    def people(self) -> tuple[Identity, ...]:
        """The enrolled people who were compared, or whose faces were; each once."""
        sides = (self.enrolled_a, self.enrolled_b)
        found = {side.identity.id: side.identity for side in sides if side is not None}
        return tuple(found.values())

    def shown_people(self) -> list[str]:
        """Return the ids of the people to whom a similarity is shown."""
        return [] if self.similarity is None else [person.id for person in self.people]
