"""1:N: find the person among all enrolled people, if they are enrolled."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from time import monotonic

import structlog

from app.errors import (
    FieldProblem,
    ImageTooLarge,
    ImageUnreadable,
    InvalidRequest,
    RevisionNotReached,
    ThresholdRequired,
    Unavailable,
)
from app.gallery.gallery import Gallery
from app.gallery.journal.quality_rejections import QualityRejections
from app.gallery.records import Searched
from app.gallery.rollout.embedder_pair import Probe
from app.gallery.unknowns.unknown_records import Sighting
from app.observe import request_scope
from app.operations.identify.blocking_notes import BlockingNotes, matched
from app.operations.identify.blocking_search import BlockingSearch, Decided, require_threshold
from app.operations.identify.unit_embedding import unit_embedding
from app.operations.policy.decisions import (
    Decision,
    SearchOptions,
    rejected,
    stages_of,
    without_rate,
)
from app.operations.policy.disclosure import disclosed, permitted
from app.operations.policy.face_rules import QualityFilter
from app.operations.policy.quality_filter import shortcomings
from app.operations.policy.rate_claims import is_below_floor
from app.operations.policy.thresholds import Thresholds
from app.operations.rollout.shadow_decisions import LiveShadow
from app.operations.unknowns import seen_alone, seen_in_photo, unknown_faces, worth_keeping
from app.recognition.detection import BY_SETTINGS, Detection
from app.recognition.pipeline import Recognizer
from app.recognition.select import largest_faces
from app.recognition.types import DetectedFace, Embedding, FaceQuality, ImageSize, ModelId
from app.runtime.threads import Work, reading, threads

_LOOK_AGAIN_S = 0.02

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class IdentifyLimits:
    """Limits of one identification."""

    max_faces: int
    """Most faces of one photo that are searched, largest first."""
    max_wait_s: float
    """Longest time that a request waits for its `min_revision`."""


@dataclass(frozen=True, slots=True)
class IdentifiedFace:
    """A face of a photo. Its `embedding` is for callers with the right `templates` alone."""

    face: DetectedFace
    decision: Decision
    quality: FaceQuality
    embedding: Embedding


@dataclass(frozen=True, slots=True)
class Identification:
    """The largest faces of a photo, largest first, each with its own decision, by the embedder
    `model`. The photo has `faces_found` faces."""

    size: ImageSize
    faces_found: int
    faces: tuple[IdentifiedFace, ...]
    model: ModelId


class Identifier:
    """Identifies the people on a photo, or the person of an embedding. No method blocks.

    `limits` are those of one request.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        gallery: Gallery,
        search: BlockingSearch,
        notes: BlockingNotes,
        rejections: QualityRejections,
        limits: IdentifyLimits,
        shadow: LiveShadow | None = None,
    ) -> None:
        self._recognizer = recognizer
        self._gallery = gallery
        self._search = search
        self._notes = notes
        self._rejections = rejections
        self._limits = limits
        self._shadow = shadow

    async def photo(
        self,
        collection: str,
        image: bytes,
        options: SearchOptions,
        *,
        max_faces: int | None = None,
        quality_filter: QualityFilter = QualityFilter.FLOOR,
        liveness: bool = False,
        detection: Detection = BY_SETTINGS,
    ) -> Identification:
        """Identify the faces of a photo; without faces, the answer is empty.

        A face that is not good enough for the filter is rejected, and not searched. For a face
        below the floor, no error rate is claimed, and it is not kept as an unknown one. With
        `liveness`, each face has a liveness score, which does not affect the decision.

        Raises CollectionNotFound, EmbedderMismatch, ImageUnreadable, ImageTooLarge, Overloaded,
        RevisionNotReached; InvalidRequest for a `max_faces` above the server's limit; LivenessOff.
        """
        count = self._faces_wanted(max_faces)
        if liveness:
            self._recognizer.require_liveness()
        await self._require(collection, options)
        keep_crops = await self._keeps_crops(collection, options)
        try:
            photo = await self._recognizer.embed(
                image,
                largest_faces(count),
                keep_crops=keep_crops,
                liveness=liveness,
                detection=detection,
            )
        except (ImageUnreadable, ImageTooLarge):
            # If the collection is gone by now, report that instead.
            await reading(self._search.policy, collection, options)
            raise
        lacking = [shortcomings(face.quality, quality_filter) for face in photo.faces]
        seen = [
            (sighting, face.quality)
            for sighting, face, why in zip(seen_in_photo(photo), photo.faces, lacking, strict=True)
            if not why
        ]
        done = await self._decide_on_seen(collection, seen, options)
        for why in filter(None, lacking):
            self._rejections.note(
                collection, why.reasons, operation="identify", terminal_id=options.terminal_id
            )
        decisions = iter(done.decisions)
        faces = tuple(
            IdentifiedFace(
                face.face,
                rejected(why, _without_search(done.policy, options)) if why else next(decisions),
                face.quality,
                face.embedding,
            )
            for face, why in zip(photo.faces, lacking, strict=True)
        )
        return Identification(photo.size, len(photo.detected), faces, done.model)

    def _faces_wanted(self, max_faces: int | None) -> int:
        most = self._limits.max_faces
        if max_faces is not None and max_faces > most:
            problem = f"must be at most {most}, the limit of this service"
            raise InvalidRequest(f"max_faces: {problem}", [FieldProblem("max_faces", problem)])
        return max_faces or most

    async def embedding(
        self, collection: str, values: Sequence[float], options: SearchOptions
    ) -> tuple[Decision, ModelId]:
        """Identify an embedding that the caller computed with the service's embedder, which is
        returned as well.

        Raises InvalidRequest when the embedding has another dimension, or no length, and
        EmbedderMismatch when the collection answers by another embedder.
        """
        probe = unit_embedding(values, dimension=self._gallery.model.dimension)
        seen = [(seen_alone(probe), self._recognizer.quality_of(probe))]
        done = await self._decide_on_seen(collection, seen, options)
        return done.decisions[0], done.model

    async def enrolled_face(
        self, collection: str, face_id: str, options: SearchOptions, *, leave_out: bool = True
    ) -> tuple[Decision, ModelId]:
        """Identify an enrolled face; also return the embedder.

        With `leave_out`, it is searched as if it were not enrolled. Raises FaceNotFound.
        """
        probe = await reading(self._gallery.faces.probe_of, collection, face_id)
        if leave_out:
            options = replace(options, exclude_face_id=face_id)
        done = await self._decide(collection, [probe], options)
        return done.decisions[0], done.model

    async def person(
        self, collection: str, identity_id: str, options: SearchOptions
    ) -> tuple[Decision, ModelId]:
        """Identify the template of an enrolled person among all others; also return the embedder.

        Raises IdentityNotFound, IdentityWithoutFace and EmbedderMismatch.
        """
        found = await reading(self._gallery.search.template_of, collection, identity_id)
        options = replace(
            options, exclude_identity_id=found.identity_id, probe_examples=found.examples
        )
        done = await self._decide(collection, [found.probe], options)
        return done.decisions[0], done.model

    async def _decide_on_seen(
        self,
        collection: str,
        seen: Sequence[tuple[Sighting, FaceQuality]],
        options: SearchOptions,
    ) -> Decided:
        """Decide on faces, without rates below the floor; keep unknown ones that are good
        enough."""
        probes = [sighting for sighting, _ in seen]
        done = await self._decide(collection, probes, options, keep=worth_keeping(seen))
        decisions = [
            without_rate(decision) if is_below_floor(quality) else decision
            for decision, (_, quality) in zip(done.decisions, seen, strict=True)
        ]
        return replace(done, decisions=decisions)

    async def _decide(
        self,
        collection: str,
        probes: Sequence[Probe],
        options: SearchOptions,
        *,
        keep: Sequence[Sighting | None] = (),
    ) -> Decided:
        """Decide on each probe, and return what the caller may know of it; see `disclosure`."""
        done = await self._look(collection, probes, options, keep)
        shown = [disclosed(decision, done.policy) for decision in done.decisions]
        return replace(done, decisions=shown)

    async def _look(
        self,
        collection: str,
        probes: Sequence[Probe],
        options: SearchOptions,
        keep: Sequence[Sighting | None],
    ) -> Decided:
        """Decide on each probe. `keep` has the sightings of the probes that are kept if they are
        unknown, and both the collection and the options keep unknown faces.

        One thread reads everything, as a second one would cost as much as a statement of SQL.
        Writes have threads of another kind, so that a locked database does not delay searches.
        """
        await self._reach(collection, options.min_revision)

        def look() -> Decided:
            request_scope.require_time()
            if not probes:
                return self._search.policy(collection, options)
            with request_scope.timed(request_scope.Stage.SEARCH):
                decided = self._search.decide(collection, probes, options)
            if self._shadow is not None:
                self._shadow.compare(
                    collection,
                    decided.decisions,
                    lambda: self._search.decide_by_other_embedder(collection, probes, options),
                )
            return decided

        decided = await reading(look)
        keeps = options.keep_unknown and decided.basis.options.unknowns.keep
        strangers = keep if keeps else ()
        recognised = options.terminal_id is not None and matched(decided.decisions)
        if not recognised and not unknown_faces(strangers, decided.decisions):
            return decided
        try:
            noted = await threads().run(
                Work.NOTE, self._notes.write, collection, decided, options, strangers
            )
        except Unavailable as error:
            # Only log it: the search is done.
            _log.warning("not_noted_down", collection=collection, cause=str(error))
            return decided
        return replace(decided, decisions=noted)

    async def _require(self, collection: str, options: SearchOptions) -> None:
        """Raise as `BlockingSearch.policy` does, before a photo is recognised for nothing.

        For a collection that existed at its last search, this does not ask the database: the search
        will. Errors always come from the database.
        """
        recent = self._search.recent(collection)
        if recent is not None:
            with suppress(ThresholdRequired):
                require_threshold(recent, options)
                return
        await reading(self._search.policy, collection, options)

    async def _keeps_crops(self, collection: str, options: SearchOptions) -> bool:
        """Return whether a crop of an unknown face would be kept, which is cut before the decision:
        the pixels of the photo are gone by then."""
        if not options.keep_unknown or not self._notes.can_seal_crops:
            return False
        return await reading(self._notes.keeps_crops, collection)

    async def _reach(self, collection: str, revision: int | None) -> None:
        """Wait until the database that is read here has a revision; searches bring the index there.

        Raises RevisionNotReached.
        """
        if revision is None:
            return
        gives_up = monotonic() + self._limits.max_wait_s
        while True:
            reached = await reading(self._gallery.collections.revision, collection)
            if reached >= revision:
                return
            if monotonic() > gives_up:
                raise RevisionNotReached(
                    f"collection {collection!r} is at revision {reached} here, and did not reach "
                    f"{revision} in {self._limits.max_wait_s:g} s"
                )
            await asyncio.sleep(_LOOK_AGAIN_S)


def _without_search(policy: Thresholds, options: SearchOptions) -> float:
    """The threshold in the answer for a face that was not searched."""
    first = stages_of(options)[0].threshold
    wanted = policy.for_identify(
        options.threshold if first is None else first,
        options.target_fpir,
        searched=Searched(people=0, faces=0),
    )
    return permitted(wanted, policy)
