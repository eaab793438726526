"""1:1: decide whether two faces are of the same person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf

from app.errors import NoUsableImage, RejectedImage
from app.gallery.gallery import Gallery
from app.gallery.journal.quality_rejections import QualityRejections
from app.gallery.records import Candidate, DecisionBasis, Identity
from app.observe import request_scope
from app.operations.enroll.photo_rejections import face_shortcomings
from app.operations.enroll.photo_subject import PassedOver
from app.operations.identify.verify_options import VerifyOptions
from app.operations.identify.verify_sides import Side, selection_of, side_of
from app.operations.policy import rate_claims
from app.operations.policy.calibrator import Calibrator
from app.operations.policy.decisions import threshold_of
from app.operations.policy.disclosure import permitted, shown, shown_from
from app.operations.policy.rate_claims import RateReason
from app.recognition.pipeline import Recognizer
from app.recognition.types import DetectedFace, ModelId, cosine
from app.runtime.gather import together
from app.runtime.threads import reading
from models.evaluation.calibration.similarity_map import ErrorRate


class VerifyStatus(StrEnum):
    MATCH = "match"
    NO_MATCH = "no_match"
    REJECTED = "rejected"
    """A face is not good enough to be compared."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The similarity of two faces, or of a face and a person.

    `indices` are the places of the faces among all faces of their photos, largest first.
    `similarity` is None where it is withheld.
    """

    indices: tuple[int, ...]
    faces: tuple[DetectedFace, ...]
    similarity: float | None


@dataclass(frozen=True, slots=True)
class Verification:
    """The decision; `match`: `similarity` (the cosine) reaches `threshold`.

    `fmr` is the probability that two strangers are at least this similar, None for the reason
    `rate_reason`. `rejected` are the photos whose face is not good enough: there is no match then,
    and `similarity` is None, as nothing was compared. `faces` are the compared faces, one of each
    image. If an enrolled person was compared, `identity` is that person, `face_id` their most
    similar face and `examples` the number of their faces. `model` is the embedder.

    If each face of a group is compared, these values are those of the comparison that is nearest to
    a match, and `comparisons` are all of them, most similar first. Threshold and rate are those of
    all comparisons: k comparisons have a false match k times as often as one. If one of the
    compared faces is below the quality floor, no rate holds. `passed_over` are faces that were not
    compared, each with the place of its photo in the request. Below `shown_from`, similarities to
    an enrolled person are withheld, and with them which face is how alike; see `disclosure`.
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
    comparisons: tuple[Comparison, ...] = ()
    passed_over: tuple[tuple[int, PassedOver], ...] = ()
    shown_from: float | None = None
    model: ModelId = field(kw_only=True)

    @property
    def status(self) -> VerifyStatus:
        if self.rejected:
            return VerifyStatus.REJECTED
        return VerifyStatus.MATCH if self.match else VerifyStatus.NO_MATCH


class Verifier:
    def __init__(
        self,
        recognizer: Recognizer,
        gallery: Gallery,
        calibrator: Calibrator,
        rejections: QualityRejections,
    ) -> None:
        self._rejections = rejections
        self._recognizer = recognizer
        self._gallery = gallery
        self._calibrator = calibrator

    async def images(self, image_a: bytes, image_b: bytes, options: VerifyOptions) -> Verification:
        """Compare two photos.

        Faces that are not good enough for the filter are not compared. Two faces of low quality
        need a higher similarity (see `rate_claims.doubt`). Raises NoUsableImage for a photo without
        the face that the rule demands, ImageUnreadable, ImageTooLarge, LivenessOff.
        """
        policy = self._calibrator.defaults
        wanted = options.threshold, options.target_fmr
        limit = policy.for_verify(*wanted)  # raises before a photo is recognised
        a, b = await together(
            self._side(image, options, index=index, name=name)
            for index, (name, image) in enumerate((("image_a", image_a), ("image_b", image_b)))
        )
        if a.refused or b.refused:
            return _rejected([a, b], limit, self._gallery.model)
        pairs = [(one, other) for one in a.faces for other in b.faces]
        compared: list[tuple[Comparison, float, float, float]] = []
        for one, other in pairs:
            # Each of k comparisons has a k-th of the rate.
            doubt = len(pairs) * rate_claims.doubt(one.embedded.quality, other.embedded.quality)
            similarity = cosine(float(one.embedded.embedding @ other.embedded.embedding))
            found = Comparison(
                (one.index, other.index), (one.embedded.face, other.embedded.face), similarity
            )
            compared.append((found, similarity, policy.for_verify(*wanted, doubt=doubt), doubt))
        place = max(range(len(pairs)), key=lambda at: compared[at][1] - compared[at][2])
        best, similarity, limit, doubt = compared[place]
        fmr, why_none = _claimed(policy.fmr(similarity, doubt=doubt), [a, b])
        return Verification(
            similarity >= limit,
            similarity,
            limit,
            fmr,
            why_none,
            best.faces,
            comparisons=_in_order([found for found, *_ in compared]),
            passed_over=_passed_over([a, b]),
            model=self._gallery.model,
        )

    async def identity(
        self, image: bytes, collection: str, identity_id: str, options: VerifyOptions
    ) -> Verification:
        """Compare a photo with an enrolled person, by their template, as identify does.

        A higher threshold of the person's own is used instead. Raises as `images` does,
        CollectionNotFound, IdentityNotFound and EmbedderMismatch.
        """

        wanted = options.threshold, options.target_fmr

        def look_beforehand() -> tuple[float, Identity]:
            policy = self._calibrator.thresholds(collection)
            # Both raise before the photo is recognised.
            limit = permitted(policy.for_verify(*wanted), policy)
            return limit, self._gallery.people.get(collection, identity_id)

        def compare() -> tuple[list[Candidate], DecisionBasis]:
            request_scope.require_time()
            probes = [face.embedded for face in side.faces]
            with request_scope.timed(request_scope.Stage.SEARCH):
                return self._gallery.search.compare_each(collection, identity_id, probes)

        limit, identity = await reading(look_beforehand)
        side = await self._side(image, options, index=0, name="image")
        if side.refused:
            lacking = face_shortcomings(side.refused)
            self._rejections.note(collection, lacking, operation="verify")
            return _rejected([side], limit, self._gallery.model, identity)
        candidates, basis = await reading(compare)
        # The policy of the comparison's basis: the collection may go over to another embedder.
        policy = await reading(self._calibrator.resting_on, basis, collection)
        place = max(range(len(candidates)), key=lambda at: candidates[at].similarity)
        found, looks = candidates[place], len(candidates)
        wanted_limit = policy.for_verify(*wanted, examples=found.examples, doubt=looks)
        limit = threshold_of(found, permitted(wanted_limit, policy))
        least = shown_from(policy)
        similarity = shown(found.similarity, least, limit)
        fmr: ErrorRate | None = None
        why_none: RateReason | None = RateReason.WITHHELD
        if similarity is None:
            place = 0  # instead of the most alike, which is withheld as well
        else:
            measured = policy.fmr(similarity, examples=found.examples, doubt=looks)
            fmr, why_none = _claimed(measured, [side])
        return Verification(
            found.similarity >= limit,
            similarity,
            limit,
            fmr,
            why_none,
            (side.faces[place].embedded.face,),
            found.identity,
            None if similarity is None else found.face_id,
            found.examples,
            comparisons=_in_order(
                Comparison(
                    (face.index,), (face.embedded.face,), shown(candidate.similarity, least, limit)
                )
                for face, candidate in zip(side.faces, candidates, strict=True)
            ),
            passed_over=_passed_over([side]),
            shown_from=least,
            model=basis.model,
        )

    async def _side(self, image: bytes, options: VerifyOptions, *, index: int, name: str) -> Side:
        photo = await self._recognizer.embed(
            image,
            selection_of(options.faces),
            liveness=options.liveness,
            detection=options.detection,
        )
        side = side_of(photo, index, options.faces, options.quality_filter)
        if side.refused is not None and not side.faces:
            raise NoUsableImage(f"{name}: {side.refused.detail}", (side.refused,))
        return side


def _in_order(compared: Iterable[Comparison]) -> tuple[Comparison, ...]:
    """The most similar first; those whose similarity is withheld last, as they are."""
    return tuple(
        sorted(compared, key=lambda found: inf if found.similarity is None else -found.similarity)
    )


def _passed_over(sides: Sequence[Side]) -> tuple[tuple[int, PassedOver], ...]:
    return tuple((index, face) for index, side in enumerate(sides) for face in side.passed_over)


def _rejected(
    sides: Sequence[Side], threshold: float, model: ModelId, identity: Identity | None = None
) -> Verification:
    """The result if the faces were not compared."""
    return Verification(
        match=False,
        similarity=None,
        threshold=threshold,
        fmr=None,
        rate_reason=RateReason.REJECTED,
        faces=tuple(side.faces[0].embedded.face for side in sides),
        identity=identity,
        rejected=tuple(side.refused for side in sides if side.refused is not None),
        model=model,
    )


def _claimed(
    fmr: ErrorRate | None, sides: Sequence[Side]
) -> tuple[ErrorRate | None, RateReason | None]:
    """Return the rate if it holds for all compared faces, else the reason why there is none.

    All of them count, as the rate is that of a false match in any of the comparisons.
    """
    compared = [face.embedded.quality for side in sides for face in side.faces]
    if any(map(rate_claims.is_below_floor, compared)):
        return None, RateReason.LOW_QUALITY
    return fmr, RateReason.NOT_MEASURED if fmr is None else None
