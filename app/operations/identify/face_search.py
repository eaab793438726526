"""Which enrolled faces are like this one, of any person: answers by face, not by person."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.errors import NoUsableImage, RejectedImage
from app.gallery.gallery import Gallery
from app.gallery.journal.quality_rejections import QualityRejections
from app.gallery.records import EVERYBODY, FaceFilter, OwnedFace, PeopleFilter, Searched
from app.gallery.rollout.embedder_pair import Probe
from app.gallery.search.nearest_faces import FacesQuery, NearFace
from app.observe import request_scope
from app.operations.enroll.photo_rejections import face_shortcomings
from app.operations.enroll.photo_subject import candidates, find_subject
from app.operations.identify.unit_embedding import unit_embedding
from app.operations.policy.calibrator import Calibrator
from app.operations.policy.disclosure import permitted, rounded, shown_from
from app.operations.policy.face_rules import FaceRule, QualityFilter
from app.operations.policy.rate_claims import RateReason, is_below_floor
from app.operations.policy.rate_scale import RateScale
from app.recognition.detection import BY_SETTINGS, Detection
from app.recognition.pipeline import Recognizer
from app.recognition.types import EmbeddedFace, FaceQuality, ImageSize, ModelId
from app.runtime.threads import reading
from models.evaluation.calibration.similarity_map import ErrorRate

MOST_FACES = 4_096
"""Faces of one answer."""


@dataclass(frozen=True, slots=True)
class FaceSearchOptions:
    """Options of a search by face.

    `top_k`: the most faces of the answer, up to `MOST_FACES`. `threshold` is a similarity,
    `target_fpir` a false positive identification rate (0 to 1, exclusive); with neither, the
    defaults decide. Faces up to `max_ratio` times the rate of that decision are answered: 1 answers
    matches alone, infinity all. Only faces of the people `wanted` are searched. With
    `exclude_probe`, an enrolled face, or all faces of an enrolled person, are not answered for
    themselves. `faces` is the rule for a photo of several faces.
    """

    top_k: int = 10
    threshold: float | None = None
    target_fpir: float | None = None
    max_ratio: float = 1.0
    wanted: PeopleFilter = EVERYBODY
    exclude_probe: bool = True
    faces: FaceRule = FaceRule.SINGLE
    quality_filter: QualityFilter = QualityFilter.FLOOR
    detection: Detection = BY_SETTINGS


@dataclass(frozen=True, slots=True)
class FaceMatch:
    """An enrolled face with its owner, and its cosine to the probe.

    `fpir` is the probability that a stranger is at least this similar to any of the faces that were
    searched; None if no rate is claimed.
    """

    face: OwnedFace
    similarity: float
    fpir: ErrorRate | None


@dataclass(frozen=True, slots=True)
class FaceMatches:
    """The enrolled faces that are like the probe, most similar first.

    `scale` has the error rates around the threshold: the FPIR of a gallery of as many people as
    faces were searched. `probe` is the face of a photo of this `size`; `rejected` says why it was
    not searched. No rate is claimed for the reason `rate_reason`. Faces below `shown_from` are left
    out; see `disclosure`.
    """

    matches: tuple[FaceMatch, ...]
    scale: RateScale
    searched: Searched
    model: ModelId
    probe: EmbeddedFace | None = None
    size: ImageSize | None = None
    rejected: RejectedImage | None = None
    rate_reason: RateReason | None = None
    shown_from: float | None = None

    @property
    def threshold(self) -> float:
        return self.scale.threshold

    def identity_ids(self) -> list[str]:
        """Return the ids of the owners, each once."""
        return list(dict.fromkeys(match.face.identity.id for match in self.matches))


class FaceSearch:
    """Finds enrolled faces by their own embeddings. No method blocks.

    All raise CollectionNotFound, EmbedderMismatch and ThresholdRequired. Nothing is kept in the
    inbox of unknown faces.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        gallery: Gallery,
        calibrator: Calibrator,
        rejections: QualityRejections,
    ) -> None:
        self._recognizer = recognizer
        self._gallery = gallery
        self._calibrator = calibrator
        self._rejections = rejections

    async def photo(self, collection: str, image: bytes, options: FaceSearchOptions) -> FaceMatches:
        """Find faces like that of a photo.

        Raises NoUsableImage for a photo without the face that the rule demands, ImageUnreadable,
        ImageTooLarge, Overloaded.
        """
        before = await reading(self._look_beforehand, collection, options)
        photo = await self._recognizer.embed(
            image, candidates(options.faces), detection=options.detection
        )
        subject = find_subject(photo, 0, options.faces, options.quality_filter)
        face, refused = subject.face, subject.refused
        if face is None:
            assert refused is not None
            raise NoUsableImage(refused.detail, (refused,))
        if refused is not None:
            lacking = face_shortcomings(refused)
            self._rejections.note(collection, lacking, operation="identify")
            return replace(
                before,
                probe=face,
                size=photo.size,
                rejected=refused,
                rate_reason=RateReason.REJECTED,
            )
        done = await self._find(collection, face, options)
        return replace(_claimed(done, face.quality), probe=face, size=photo.size)

    async def embedding(
        self, collection: str, values: Sequence[float], options: FaceSearchOptions
    ) -> FaceMatches:
        """Find faces like an embedding that the caller computed with the service's embedder.

        Raises InvalidRequest when the embedding has another dimension, or no length.
        """
        probe = unit_embedding(values, dimension=self._gallery.model.dimension)
        done = await self._find(collection, probe, options)
        return _claimed(done, self._recognizer.quality_of(probe))

    async def enrolled_face(
        self, collection: str, face_id: str, options: FaceSearchOptions
    ) -> FaceMatches:
        """Find faces like an enrolled face. Raises FaceNotFound."""
        probe = await reading(self._gallery.faces.probe_of, collection, face_id)
        left_out = face_id if options.exclude_probe else None
        return await self._find(collection, probe, options, exclude_face_id=left_out)

    async def person(
        self, collection: str, identity_id: str, options: FaceSearchOptions
    ) -> FaceMatches:
        """Find faces like the template of an enrolled person.

        Raises IdentityNotFound and IdentityWithoutFace.
        """
        found = await reading(self._gallery.search.template_of, collection, identity_id)
        return await self._find(
            collection,
            found.probe,
            options,
            exclude_identity_id=found.identity_id if options.exclude_probe else None,
            probe_examples=found.examples,
        )

    def _look_beforehand(self, collection: str, options: FaceSearchOptions) -> FaceMatches:
        """Raise what can be known before a photo is recognised, and return an empty answer."""
        basis = self._gallery.collections.require(collection)
        policy = self._calibrator.resting_on(basis, collection)
        nothing = Searched(people=0, faces=0)
        wanted = policy.for_identify(options.threshold, options.target_fpir, searched=nothing)
        scale = RateScale(policy, permitted(wanted, policy), nothing)
        return FaceMatches((), scale, nothing, basis.model, shown_from=shown_from(policy))

    async def _find(
        self,
        collection: str,
        probe: Probe,
        options: FaceSearchOptions,
        *,
        exclude_face_id: str | None = None,
        exclude_identity_id: str | None = None,
        probe_examples: int = 1,
    ) -> FaceMatches:
        query = FacesQuery(options.top_k, options.wanted, exclude_face_id, exclude_identity_id)

        def look() -> FaceMatches:
            request_scope.require_time()
            with request_scope.timed(request_scope.Stage.SEARCH):
                found = self._gallery.search.find_faces(collection, probe, query)
            policy = self._calibrator.resting_on(found.basis, collection)
            # Each face is answered by itself, so a stranger has as many chances as there are faces.
            each = Searched(people=found.searched.faces, faces=found.searched.faces)
            doubt = policy.gain(probe_examples)
            wanted = policy.for_identify(
                options.threshold, options.target_fpir, searched=each, doubt=doubt
            )
            scale = RateScale(policy, permitted(wanted, policy), each, doubt=doubt)
            least = shown_from(policy)
            near = _reaching(found.faces, scale, options.max_ratio, least)
            matches = self._matches(collection, near, scale, options.max_ratio, least)
            return FaceMatches(
                matches,
                scale,
                found.searched,
                found.basis.model,
                rate_reason=RateReason.NOT_MEASURED if policy.map is None else None,
                shown_from=least,
            )

        return await reading(look)

    def _matches(
        self,
        collection: str,
        near: Sequence[NearFace],
        scale: RateScale,
        max_ratio: float,
        least: float | None,
    ) -> tuple[FaceMatch, ...]:
        """Read the faces, and leave out those of people who have a higher threshold of their own.

        Faces that were deleted meanwhile are left out.
        """
        if not near:
            return ()
        ids = tuple(found.face_id for found in near)
        page = self._gallery.faces.listed(collection, FaceFilter(face_ids=ids), limit=len(ids))
        faces = {face.id: face for face in page.items}
        matches = []
        for found in near:
            face = faces.get(found.face_id)
            if face is None:
                continue
            own = face.identity.threshold
            limit = scale.threshold if own is None else max(own, scale.threshold)
            if found.similarity < limit and max_ratio <= 1:
                continue
            shown = found.similarity if least is None else rounded(found.similarity, limit)
            matches.append(FaceMatch(face, shown, scale.error_rate(shown)))
        return tuple(matches)


def _reaching(
    faces: Sequence[NearFace], scale: RateScale, max_ratio: float, least: float | None
) -> Sequence[NearFace]:
    """The faces up to so many times the rate of the decision, of those that may be shown.

    `faces` are those found, most similar first, so that a search by halves finds where to cut.
    """

    def is_beyond(found: NearFace) -> bool:
        if least is not None and found.similarity < least:
            return True
        ratio = scale.ratio(found.similarity)
        if ratio is None:
            return max_ratio <= 1 and found.similarity < scale.threshold
        return ratio > max_ratio

    return faces[: bisect_left(faces, 1, key=is_beyond)]


def _claimed(done: FaceMatches, quality: FaceQuality) -> FaceMatches:
    """The same answer without a rate where none holds for a face of this quality."""
    if not is_below_floor(quality):
        return done
    matches = tuple(replace(match, fpir=None) for match in done.matches)
    return replace(done, matches=matches, rate_reason=RateReason.LOW_QUALITY)
