"""1:1: are these two the same person?"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from app import request_scope
from app.errors import NoUsableImage, RejectedImage
from app.gallery.records import Basis, Candidate, Identity
from app.gallery.service import Gallery
from app.operations import rate_claims
from app.operations.calibration import Calibrator
from app.operations.choices import FaceRule, QualityFilter
from app.operations.decisions import threshold_of
from app.operations.rate_claims import RateReason
from app.operations.single_face import rejection, selection_of
from app.operations.together import together
from app.recognition.pipeline import Recognizer
from app.recognition.types import DetectedFace, EmbeddedFace, FaceQuality, ModelId, cosine
from app.threads import reading
from models.evaluation.calibration import ErrorRate


class VerifyStatus(StrEnum):
    MATCH = "match"
    NO_MATCH = "no_match"
    REJECTED = "rejected"
    """A face is not good enough to be compared."""


@dataclass(frozen=True, slots=True)
class _Side:
    """The face of one photo, and why it is not good enough, if it is not."""

    embedded: EmbeddedFace
    refused: RejectedImage | None


@dataclass(frozen=True, slots=True)
class Verification:
    """`match` says that `similarity` (the cosine) reaches `threshold`.

    `fmr` is the chance that two strangers are at least this similar, None for the reason that
    `rate_reason` says. `rejected` are the photos whose face is not good enough: there is no match
    then, and `similarity` is None, since nothing was compared. `faces` are those compared, one an
    image. Against an enrolled person, `identity`, the id of their most similar face and the number
    of examples compared with are given too. `model` is the embedder that was asked.
    """

    match: bool
    similarity: float | None
    threshold: float
    fmr: ErrorRate | None
    rate_reason: RateReason | None
    faces: tuple[DetectedFace, ...]
    identity: Identity | None = None
    face_id: str | None = None
    examples: int | None = None
    rejected: tuple[RejectedImage, ...] = ()
    model: ModelId = field(kw_only=True)

    @property
    def status(self) -> VerifyStatus:
        if self.rejected:
            return VerifyStatus.REJECTED
        return VerifyStatus.MATCH if self.match else VerifyStatus.NO_MATCH


class Verifier:
    def __init__(self, recognizer: Recognizer, gallery: Gallery, calibrator: Calibrator) -> None:
        self._recognizer = recognizer
        self._gallery = gallery
        self._calibrator = calibrator

    async def images(
        self,
        image_a: bytes,
        image_b: bytes,
        *,
        rule: FaceRule,
        threshold: float | None = None,
        target_fmr: float | None = None,
        quality_filter: QualityFilter = QualityFilter.FLOOR,
    ) -> Verification:
        """Compare two photos.

        Faces that are not good enough for the filter are not compared. Two doubtful ones need a
        higher similarity (see `rate_claims.doubt`). Raises NoUsableImage for a photo without the
        one face that is wanted, ImageUnreadable, ImageTooLarge.
        """
        rules = self._calibrator.defaults
        rules.for_verify(threshold, target_fmr)  # raises before anything is looked at
        a, b = await together(
            self._face(image, rule, quality_filter, index=index, name=name)
            for index, (name, image) in enumerate((("image_a", image_a), ("image_b", image_b)))
        )
        qualities = (a.embedded.quality, b.embedded.quality)
        doubt = rate_claims.doubt(*qualities)
        limit = rules.for_verify(threshold, target_fmr, doubt=doubt)
        if a.refused or b.refused:
            return _rejected([a, b], limit, self._gallery.model)
        similarity = cosine(float(a.embedded.embedding @ b.embedded.embedding))
        fmr, why_none = _claimed(rules.fmr(similarity, doubt=doubt), qualities)
        return Verification(
            similarity >= limit,
            similarity,
            limit,
            fmr,
            why_none,
            (a.embedded.face, b.embedded.face),
            model=self._gallery.model,
        )

    async def identity(
        self,
        image: bytes,
        collection: str,
        identity_id: str,
        *,
        rule: FaceRule,
        threshold: float | None = None,
        target_fmr: float | None = None,
        quality_filter: QualityFilter = QualityFilter.FLOOR,
    ) -> Verification:
        """Compare a photo with an enrolled person, by the same rule as identify.

        A threshold of the person's own counts where it is higher. Raises as `images` does,
        CollectionNotFound, IdentityNotFound and EmbedderMismatch.
        """

        def look_beforehand() -> tuple[float, Identity]:
            rules = self._calibrator.thresholds(collection)
            # Both raise before the photo is looked at.
            limit = rules.for_verify(threshold, target_fmr)
            return limit, self._gallery.get_identity(collection, identity_id)

        def compare() -> tuple[Candidate, Basis]:
            request_scope.require_time()
            with request_scope.timed(request_scope.Stage.SEARCH):
                return self._gallery.compare(collection, identity_id, probe.embedded)

        limit, identity = await reading(look_beforehand)
        probe = await self._face(image, rule, quality_filter, index=0, name="image")
        if probe.refused:
            return _rejected([probe], limit, self._gallery.model, identity)
        found, basis = await reading(compare)
        # As of the comparison: the collection may go over to another embedder at any moment.
        rules = await reading(self._calibrator.resting_on, basis, collection)
        limit = rules.for_verify(threshold, target_fmr, examples=found.examples)
        limit = threshold_of(found, limit)
        measured = rules.fmr(found.similarity, examples=found.examples)
        fmr, why_none = _claimed(measured, [probe.embedded.quality])
        return Verification(
            found.similarity >= limit,
            found.similarity,
            limit,
            fmr,
            why_none,
            (probe.embedded.face,),
            found.identity,
            found.face_id,
            found.examples,
            model=basis.model,
        )

    async def _face(
        self,
        image: bytes,
        rule: FaceRule,
        quality_filter: QualityFilter,
        *,
        index: int,
        name: str,
    ) -> _Side:
        photo = await self._recognizer.embed(image, selection_of(rule))
        refused = rejection(photo, index, quality_filter)
        if refused is not None and not photo.faces:
            raise NoUsableImage(f"{name}: {refused.detail}", (refused,))
        return _Side(photo.faces[0], refused)


def _rejected(
    sides: Sequence[_Side], threshold: float, model: ModelId, identity: Identity | None = None
) -> Verification:
    """No decision: the faces were not compared."""
    return Verification(
        match=False,
        similarity=None,
        threshold=threshold,
        fmr=None,
        rate_reason=RateReason.REJECTED,
        faces=tuple(side.embedded.face for side in sides),
        identity=identity,
        rejected=tuple(side.refused for side in sides if side.refused is not None),
        model=model,
    )


def _claimed(
    fmr: ErrorRate | None, qualities: Sequence[FaceQuality]
) -> tuple[ErrorRate | None, RateReason | None]:
    """The rate, if it holds for faces of these qualities, or else why there is none."""
    if any(map(rate_claims.is_below_floor, qualities)):
        return None, RateReason.LOW_QUALITY
    return fmr, RateReason.NOT_MEASURED if fmr is None else None
