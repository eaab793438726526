"""1:1: are these the same person? Photos, embeddings, enrolled faces and people."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from math import inf

from app.errors import NoUsableImage
from app.gallery.gallery import Gallery
from app.gallery.journal.quality_rejections import QualityRejections
from app.gallery.records import Identity
from app.gallery.rollout.embedder_pair import Probe
from app.gallery.search.side_comparison import (
    EnrolledSide,
    FaceSide,
    PersonSide,
    Side,
)
from app.observe import request_scope
from app.operations.enroll.photo_rejections import face_shortcomings
from app.operations.enroll.photo_subject import PassedOver
from app.operations.identify.unit_embedding import unit_embedding
from app.operations.identify.verification import Comparison, Enrolled, Verification
from app.operations.identify.verify_options import VerifyOptions
from app.operations.identify.verify_sides import (
    EmbeddingSide,
    PhotoFaces,
    PhotoSide,
    SideFace,
    SideToCompare,
    faces_of,
    selection_of,
)
from app.operations.policy import rate_claims
from app.operations.policy.calibrator import Calibrator
from app.operations.policy.disclosure import permitted, shown, shown_from
from app.operations.policy.rate_claims import RateReason
from app.operations.policy.rate_scale import RateScale
from app.recognition.pipeline import Recognizer
from app.recognition.types import Embedding, FaceQuality, ImageSize, ModelId, cosine
from app.runtime.gather import together
from app.runtime.threads import reading
from models.evaluation.calibration.similarity_map import ErrorRate


@dataclass(frozen=True, slots=True)
class _Probe:
    """A face of a photo, or an embedding (then `face` is None), to be compared."""

    probe: Probe
    embedding: Embedding
    quality: FaceQuality
    face: SideFace | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    """A side whose photo was recognised: its probes, or what is enrolled."""

    probes: tuple[_Probe, ...] = ()
    photo: PhotoFaces | None = None
    enrolled: EnrolledSide | None = None

    @property
    def side(self) -> Side:
        return self.enrolled or [one.probe for one in self.probes]

    @property
    def items(self) -> Sequence[_Probe | None]:
        """What is compared one by one; None is what is enrolled."""
        return self.probes or (None,)


@dataclass(frozen=True, slots=True)
class _Beforehand:
    """The threshold of one comparison, and the enrolled people of sides a and b."""

    limit: float
    people: tuple[Identity | None, Identity | None] = (None, None)


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
        """Compare two photos; see `compare`."""
        a, b = PhotoSide(image_a, name="image_a"), PhotoSide(image_b, name="image_b")
        return await self.compare(a, b, options)

    async def compare(
        self,
        a: SideToCompare,
        b: SideToCompare,
        options: VerifyOptions,
        *,
        collection: str | None = None,
    ) -> Verification:
        """Compare two sides, by templates where they are people.

        A side that is enrolled is of `collection`, whose policy decides then. Faces that are not
        good enough for the filter are not compared. Two faces of low quality, neither of them
        enrolled, need a higher similarity (see `rate_claims.doubt`). A higher threshold of an
        enrolled person's own is used instead. An enrolled face is compared with its own person as
        if it were not enrolled.

        Raises NoUsableImage for a photo without the face that the rule demands, ImageUnreadable,
        ImageTooLarge, LivenessOff; InvalidRequest for an embedding of another dimension;
        CollectionNotFound, IdentityNotFound, FaceNotFound, IdentityWithoutFace, EmbedderMismatch.
        """
        if not any(isinstance(side, FaceSide | PersonSide) for side in (a, b)):
            collection = None
        before = await self._look_beforehand(a, b, options, collection)
        read_a, read_b = await together(
            [
                self._read(a, options, index=0),
                self._read(b, options, index=1 if isinstance(a, PhotoSide) else 0),
            ]
        )
        lacking = [photo.refused for photo in _photos(read_a, read_b) if photo.refused is not None]
        if lacking:
            if collection is not None:
                self._rejections.note(collection, face_shortcomings(lacking[0]), operation="verify")
            return _rejected(_photos(read_a, read_b), before, self._gallery.model)
        if collection is None:
            return self._of_probes(read_a, read_b, options)
        return await reading(self._of_enrolled, collection, read_a, read_b, options)

    async def _look_beforehand(
        self, a: SideToCompare, b: SideToCompare, options: VerifyOptions, collection: str | None
    ) -> _Beforehand:
        """Raise what can be known before a photo is recognised, which costs the most."""
        wanted = options.threshold, options.target_fmr
        if collection is None:
            return _Beforehand(self._calibrator.defaults.for_verify(*wanted))

        def look() -> _Beforehand:
            policy = self._calibrator.thresholds(collection)
            limit = permitted(policy.for_verify(*wanted), policy)
            enrolled = [side for side in (a, b) if isinstance(side, FaceSide | PersonSide)]
            found = iter(self._gallery.search.people_of_sides(collection, enrolled))
            person_a, person_b = (next(found) if side in enrolled else None for side in (a, b))
            return _Beforehand(limit, (person_a, person_b))

        return await reading(look)

    async def _read(self, side: SideToCompare, options: VerifyOptions, *, index: int) -> _Read:
        if isinstance(side, FaceSide | PersonSide):
            return _Read(enrolled=side)
        if isinstance(side, EmbeddingSide):
            found = unit_embedding(side.values, dimension=self._gallery.model.dimension)
            return _Read((_Probe(found, found, self._recognizer.quality_of(found)),))
        photo = await self._photo(side, options, index)
        return _Read(
            tuple(
                _Probe(face.embedded, face.embedded.embedding, face.embedded.quality, face)
                for face in photo.faces
            ),
            photo,
        )

    async def _photo(self, side: PhotoSide, options: VerifyOptions, index: int) -> PhotoFaces:
        rule = options.faces if side.faces is None else side.faces
        photo = await self._recognizer.embed(
            side.image,
            selection_of(rule, max_faces=options.max_faces),
            liveness=options.liveness,
            detection=options.detection,
        )
        found = faces_of(photo, index, rule, options.quality_filter)
        if found.refused is not None and not found.faces:
            raise NoUsableImage(f"{side.name}: {found.refused.detail}", (found.refused,))
        return found

    def _of_probes(self, a: _Read, b: _Read, options: VerifyOptions) -> Verification:
        """Compare faces of photos and embeddings of the caller: nothing is withheld."""
        policy, pairs = self._calibrator.defaults, list(product(a.probes, b.probes))
        compared: list[Comparison] = []
        for one, other in pairs:
            # Each of k comparisons has a k-th of the rate.
            doubt = len(pairs) * rate_claims.doubt(one.quality, other.quality)
            limit = policy.for_verify(options.threshold, options.target_fmr, doubt=doubt)
            similarity = cosine(float(one.embedding @ other.embedding))
            scale = RateScale(policy, limit, doubt=doubt)
            compared.append(_comparison(one, other, similarity, scale))
        best = max(compared, key=_lead)
        fmr, why_none = _claimed(best.scale.error_rate(_known(best)), a, b)
        return Verification(
            _lead(best) >= 0,
            best.similarity,
            best.threshold,
            fmr,
            why_none,
            best.faces,
            comparisons=_in_order(compared),
            passed_over=_passed_over(_photos(a, b)),
            model=self._gallery.model,
            sizes=_sizes(_photos(a, b)),
        )

    def _of_enrolled(
        self, collection: str, a: _Read, b: _Read, options: VerifyOptions
    ) -> Verification:
        """Compare with what is enrolled. It blocks."""
        request_scope.require_time()
        with request_scope.timed(request_scope.Stage.SEARCH):
            done = self._gallery.search.compare(collection, a.side, b.side)
        # The policy of the comparison's basis: the collection may go over to another embedder.
        policy = self._calibrator.resting_on(done.basis, collection)
        few, many = sorted(done.examples)
        # Each of k comparisons has a k-th of the rate; with two templates, both gains count.
        doubt = len(done.pairs) * policy.gain(few)
        wanted = policy.for_verify(
            options.threshold, options.target_fmr, examples=many, doubt=doubt
        )
        own = (person.threshold for person in done.people if person is not None)
        limit = max([permitted(wanted, policy), *(limit for limit in own if limit is not None)])
        least = shown_from(policy)
        scale = RateScale(policy, limit, examples=many, doubt=doubt)
        compared = [
            _comparison(one, other, shown(pair.similarity, least, limit), scale)
            for (one, other), pair in zip(product(a.items, b.items), done.pairs, strict=True)
        ]
        place = max(range(len(compared)), key=lambda at: done.pairs[at].similarity)
        match = done.pairs[place].similarity >= limit
        fmr: ErrorRate | None = None
        why_none: RateReason | None = RateReason.WITHHELD
        similarity = compared[place].similarity
        if similarity is None:
            place = 0  # instead of the most similar, which is withheld as well
        else:
            fmr, why_none = _claimed(scale.error_rate(similarity), a, b)
        enrolled_a, enrolled_b = (
            None if person is None else Enrolled(person, _face_shown(read, nearest, similarity), n)
            for read, person, nearest, n in zip(
                (a, b), done.people, done.pairs[place].face_ids, done.examples, strict=True
            )
        )
        return Verification(
            match,
            similarity,
            limit,
            fmr,
            why_none,
            compared[place].faces,
            enrolled_a,
            enrolled_b,
            comparisons=_in_order(compared),
            passed_over=_passed_over(_photos(a, b)),
            shown_from=least,
            model=done.basis.model,
            sizes=_sizes(_photos(a, b)),
        )


def _photos(*sides: _Read) -> list[PhotoFaces]:
    return [side.photo for side in sides if side.photo is not None]


def _sizes(photos: Sequence[PhotoFaces]) -> tuple[ImageSize, ...]:
    return tuple(photo.size for photo in photos)


def _comparison(
    one: _Probe | None,
    other: _Probe | None,
    similarity: float | None,
    scale: RateScale,
) -> Comparison:
    found = [side.face for side in (one, other) if side is not None and side.face is not None]
    return Comparison(
        tuple(face.index for face in found),
        tuple(face.embedded for face in found),
        similarity,
        scale,
    )


def _known(found: Comparison) -> float:
    assert found.similarity is not None  # nothing of probes is withheld
    return found.similarity


def _lead(found: Comparison) -> float:
    """By how much a comparison of probes reaches its threshold."""
    return _known(found) - found.threshold


def _face_shown(read: _Read, nearest: str | None, similarity: float | None) -> str | None:
    """The id of the face that was sent, or that is most similar; it is withheld as that is."""
    if isinstance(read.enrolled, FaceSide):
        return read.enrolled.face_id
    return None if similarity is None else nearest


def _in_order(compared: Iterable[Comparison]) -> tuple[Comparison, ...]:
    """The most similar first; those whose similarity is withheld last, as they are."""
    return tuple(
        sorted(compared, key=lambda found: inf if found.similarity is None else -found.similarity)
    )


def _passed_over(photos: Sequence[PhotoFaces]) -> tuple[tuple[int, PassedOver], ...]:
    return tuple((index, face) for index, photo in enumerate(photos) for face in photo.passed_over)


def _rejected(photos: Sequence[PhotoFaces], before: _Beforehand, model: ModelId) -> Verification:
    """The result if the faces were not compared."""
    enrolled_a, enrolled_b = (
        None if person is None else Enrolled(person) for person in before.people
    )
    return Verification(
        match=False,
        similarity=None,
        threshold=before.limit,
        fmr=None,
        rate_reason=RateReason.REJECTED,
        faces=tuple(photo.faces[0].embedded.face for photo in photos),
        enrolled_a=enrolled_a,
        enrolled_b=enrolled_b,
        rejected=tuple(photo.refused for photo in photos if photo.refused is not None),
        model=model,
        sizes=_sizes(photos),
    )


def _claimed(fmr: ErrorRate | None, *sides: _Read) -> tuple[ErrorRate | None, RateReason | None]:
    """Return the rate if it holds for all compared faces, else the reason why there is none.

    All of them count, as the rate is that of a false match in any of the comparisons.
    """
    compared = [probe.quality for side in sides for probe in side.probes]
    if any(map(rate_claims.is_below_floor, compared)):
        return None, RateReason.LOW_QUALITY
    return fmr, RateReason.NOT_MEASURED if fmr is None else None
