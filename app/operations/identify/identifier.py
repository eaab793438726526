"""1:N: who is this, among all enrolled, or nobody?"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import inf
from time import monotonic

import numpy as np
import structlog

from app.errors import (
    CollectionNotFound,
    DatabaseUnavailable,
    EmbedderMismatch,
    FieldProblem,
    ImageTooLarge,
    ImageUnreadable,
    InvalidRequest,
    RevisionNotReached,
    ThresholdRequired,
    Unavailable,
)
from app.gallery.records import Basis, Candidate, Found, Scoring, Searched
from app.gallery.rollout.embedder_pair import Probe
from app.gallery.search.nearest_people import Question
from app.gallery.service import Gallery
from app.gallery.store.database import waiting_briefly
from app.gallery.unknowns.unknown_records import Sighting
from app.observe import request_scope
from app.operations.identify.shadow_decisions import LiveShadow
from app.operations.policy.calibrator import Calibrator
from app.operations.policy.decisions import (
    Decision,
    SearchOptions,
    Stage,
    Status,
    decide,
    rejected,
    stages_of,
    without_rate,
)
from app.operations.policy.face_rules import QualityFilter
from app.operations.policy.quality_filter import shortcomings
from app.operations.policy.rate_claims import KEPT_FROM, is_below_floor
from app.operations.policy.thresholds import Thresholds
from app.operations.unknown_keeper import UnknownKeeper, seen_alone, seen_in_photo
from app.recognition.pipeline import Recognizer
from app.recognition.select import largest_faces
from app.recognition.types import DetectedFace, Embedding, FaceQuality, ImageSize, ModelId
from app.runtime.threads import Work, reading, threads

_LOOK_AGAIN_S = 0.02
_NOTE_WAITS_S = 1.0
"""What is noted beside an answer waits so long for the database's lock ..."""
_LATE_NOTE_WAITS_S = 0.05
"""... and so long while it was locked less than _LOCKED_S ago: an answer waits once, not each."""
_LOCKED_S = 10.0
_LOOKED_AT = 10  # people by whom an answer is decided, however few are asked for
_RIVALS = 2  # of an ambiguous answer, both are shown
_MOST_RECENT = 1_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class IdentifyLimits:
    """`max_faces` of one photo are looked up, largest first; a terminal remembers
    `terminal_people`; a request waits `max_wait_s` at most for its `min_revision`."""

    max_faces: int
    terminal_people: int
    max_wait_s: float


@dataclass(frozen=True, slots=True)
class IdentifiedFace:
    face: DetectedFace
    decision: Decision
    quality: FaceQuality


@dataclass(frozen=True, slots=True)
class Identification:
    """The faces of a photo that were looked at, largest first, each with its own decision, by the
    embedder `model`. The photo has `faces_found` faces."""

    size: ImageSize
    faces_found: int
    faces: tuple[IdentifiedFace, ...]
    model: ModelId


@dataclass(frozen=True, slots=True)
class _Decided:
    """Decisions, how the collection decides, and what that rests on."""

    decisions: list[Decision]
    rules: Thresholds
    basis: Basis

    @property
    def model(self) -> ModelId:
        return self.basis.model


Find = Callable[[str, Sequence[Probe], Question], Found]


class _NoSecondError(Exception):
    pass


class Identifier:
    """`limits` bound what one request may ask for."""

    def __init__(
        self,
        recognizer: Recognizer,
        gallery: Gallery,
        calibrator: Calibrator,
        limits: IdentifyLimits,
        keeper: UnknownKeeper,
        shadow: LiveShadow | None = None,
    ) -> None:
        self._recognizer = recognizer
        self._gallery = gallery
        self._calibrator = calibrator
        self._limits = limits
        self._keeper = keeper
        self._shadow = shadow
        self._locked_at = -inf
        self._recent: dict[str, Thresholds] = {}
        """How collections decided when they were read last; they may be gone by now."""

    async def photo(
        self,
        collection: str,
        image: bytes,
        options: SearchOptions,
        *,
        max_faces: int | None = None,
        quality_filter: QualityFilter = QualityFilter.FLOOR,
        liveness: bool = False,
    ) -> Identification:
        """Identify the faces of a photo; a photo without a face has an empty answer.

        A face that is not good enough for the filter is rejected, and not searched. Of a face below
        the floor no error rate is claimed, and it is not kept as an unknown one. `liveness`: score
        that of each face; it decides nothing.

        Raises CollectionNotFound, EmbedderMismatch, ImageUnreadable, ImageTooLarge, Overloaded,
        RevisionNotReached; InvalidRequest for a `max_faces` above the server's limit; LivenessOff.
        """
        count = self._faces_wanted(max_faces)
        if liveness:
            self._recognizer.require_liveness()
        await self._require(collection, options)
        try:
            photo = await self._recognizer.embed(image, largest_faces(count), liveness=liveness)
        except (ImageUnreadable, ImageTooLarge):
            # Of a collection that is gone by now, that is what is wrong first.
            await reading(self._rules_now, collection, options)
            raise
        lacking = [shortcomings(face.quality, quality_filter) for face in photo.faces]
        seen = [
            sighting for sighting, why in zip(seen_in_photo(photo), lacking, strict=True) if not why
        ]
        qualities = [
            face.quality for face, why in zip(photo.faces, lacking, strict=True) if not why
        ]
        done = await self._decide(collection, seen, options, keep=_good_enough(seen, qualities))
        decisions = iter(
            without_rate(decision) if is_below_floor(quality) else decision
            for quality, decision in zip(qualities, done.decisions, strict=True)
        )
        faces = tuple(
            IdentifiedFace(
                face.face,
                rejected(why, _without_search(done.rules, options)) if why else next(decisions),
                face.quality,
            )
            for face, why in zip(photo.faces, lacking, strict=True)
        )
        return Identification(photo.size, len(photo.detected), faces, done.model)

    def _faces_wanted(self, max_faces: int | None) -> int:
        most = self._limits.max_faces
        if max_faces is not None and max_faces > most:
            problem = f"must be at most {most}, the server's limit (VULTUS_LIMITS__MAX_FACES)"
            raise InvalidRequest(f"max_faces: {problem}", [FieldProblem("max_faces", problem)])
        return max_faces or most

    async def embedding(
        self, collection: str, values: Sequence[float], options: SearchOptions
    ) -> tuple[Decision, ModelId]:
        """Identify an embedding that the caller computed with the service's embedder.

        Also answers which that is. Raises InvalidRequest when it has another dimension, or no
        length, and EmbedderMismatch when the collection answers by another one.
        """
        probe = unit_embedding(values, dimension=self._gallery.model.dimension)
        seen = [seen_alone(probe)]
        quality = self._recognizer.quality_of(probe)
        done = await self._decide(collection, seen, options, keep=_good_enough(seen, [quality]))
        (decision,) = done.decisions
        return without_rate(decision) if is_below_floor(quality) else decision, done.model

    async def enrolled_face(
        self, collection: str, face_id: str, options: SearchOptions
    ) -> tuple[Decision, ModelId]:
        """Who else looks like an enrolled face? The face itself does not count.

        Also answers by which embedder. Raises FaceNotFound.
        """
        probe = await reading(self._gallery.probe_of, collection, face_id)
        done = await self._decide(collection, [probe], options, exclude_face_id=face_id)
        return done.decisions[0], done.model

    async def _decide(
        self,
        collection: str,
        probes: Sequence[Probe],
        options: SearchOptions,
        *,
        exclude_face_id: str | None = None,
        keep: Sequence[Sighting | None] = (),
    ) -> _Decided:
        """Who each is, and how the collection decides. `keep` has the sightings of the probes that
        are to be kept if they are unknown, where the collection keeps unknown faces.

        What is read is read in one thread: handing over takes as long as a statement of SQL. What
        is written has a thread of another kind, so that a locked database does not hold up those
        who only search.
        """
        await self._reach(collection, options.min_revision)

        def look() -> _Decided:
            request_scope.require_time()
            if not probes:
                basis, rules = self._rules_now(collection, options)
                return _Decided([], rules, basis)
            with request_scope.timed(request_scope.Stage.SEARCH):
                decisions, basis, rules = self._look(collection, probes, options, exclude_face_id)
            if self._shadow is not None:
                self._shadow.compare(
                    collection,
                    decisions,
                    lambda: self.decide_by_second(
                        collection, probes, options, exclude_face_id=exclude_face_id
                    ),
                )
            return _Decided(decisions, rules, basis)

        decided = await reading(look)
        matched = _matched(decided.decisions) if options.terminal_id is not None else []
        strangers = keep if decided.basis.options.unknowns.keep else ()
        if not matched and not UnknownKeeper.wants(strangers, decided.decisions):
            return decided

        was_locked = monotonic() - self._locked_at < _LOCKED_S

        def note_down() -> _Decided:
            began = monotonic()
            with waiting_briefly(_LATE_NOTE_WAITS_S if was_locked else _NOTE_WAITS_S):
                self._remember(collection, options.terminal_id, matched)
                kept = decided.decisions
                if strangers:
                    kept = self._keeper.keep(
                        collection, strangers, decided.decisions, options, decided.basis
                    )
            if monotonic() - began > _NOTE_WAITS_S:
                self._locked_at = monotonic()
            return replace(decided, decisions=kept)

        try:
            return await threads().run(Work.NOTE, note_down)
        except Unavailable as error:
            # What was asked for is done; this was beside it.
            _log.warning("not_noted_down", collection=collection, cause=str(error))
            return decided

    def decide(
        self,
        collection: str,
        probes: Sequence[Probe],
        options: SearchOptions,
        *,
        exclude_face_id: str | None = None,
    ) -> list[Decision]:
        """Who each is. Blocks. Raises as `photo` does; there must be one probe at least."""
        return self._look(collection, probes, options, exclude_face_id)[0]

    def decide_by_second(
        self,
        collection: str,
        probes: Sequence[Probe],
        options: SearchOptions,
        *,
        exclude_face_id: str | None = None,
    ) -> list[Decision] | None:
        """As `decide`, by the second embedder of a collection; None if it has none that runs here.

        A similarity that was asked for is by the first one, so the default decides instead.
        """
        options = replace(
            options,
            threshold=None,
            stages=tuple(replace(stage, threshold=None) for stage in options.stages),
        )
        try:
            return self._look(
                collection, probes, options, exclude_face_id, find=self._find_by_second
            )[0]
        except _NoSecondError:
            return None

    def _find_by_second(
        self, collection: str, probes: Sequence[Probe], question: Question
    ) -> Found:
        found = self._gallery.find_by_second(collection, probes, question)
        if found is None:
            raise _NoSecondError
        return found

    def _look(
        self,
        collection: str,
        probes: Sequence[Probe],
        options: SearchOptions,
        exclude_face_id: str | None,
        *,
        find: Find | None = None,
    ) -> tuple[list[Decision], Basis, Thresholds]:
        """The decisions, one at least, and what the last of them rest on."""
        decisions: dict[int, Decision] = {}
        stages = stages_of(options)
        for stage in stages:
            open_places = [
                place
                for place in range(len(probes))
                if place not in decisions or decisions[place].status is Status.UNKNOWN
            ]
            if not open_places:
                break
            question = Question(
                max(options.top_k, _LOOKED_AT),
                datetime.now(UTC),
                stage.wanted,
                exclude_face_id,
                Scoring.TEMPLATE,
            )
            asked = [probes[place] for place in open_places]
            with self._forgetting(collection):
                found = (find or self._gallery.find)(collection, asked, question)
            rules = self._rules(collection, found.basis, options, note=find is None)
            limit = rules.for_identify(
                options.threshold if stage.threshold is None else stage.threshold,
                options.target_fpir,
                searched=found.searched,
                looks=len(stages),
            )
            for place, candidates in zip(open_places, found.candidates, strict=True):
                decisions[place] = _decision(
                    candidates, limit, rules, found.searched, stage, options.top_k
                )
        return [decisions[place] for place in range(len(probes))], found.basis, rules

    async def _require(self, collection: str, options: SearchOptions) -> None:
        """Raise what would be in vain to look at a photo for, as `_rules_now` does.

        The database is not asked for a collection that was there the last time: it will be, by the
        search. What is wrong is only ever said by the database.
        """
        recent = self._recent.get(collection)
        if recent is not None:
            with suppress(ThresholdRequired):
                _require_threshold(recent, options)
                return
        await reading(self._rules_now, collection, options)

    def _rules_now(self, collection: str, options: SearchOptions) -> tuple[Basis, Thresholds]:
        """Raises CollectionNotFound, EmbedderMismatch and ThresholdRequired."""
        with self._forgetting(collection):
            basis = self._gallery.require_collection(collection)
        return basis, self._rules(collection, basis, options)

    @contextmanager
    def _forgetting(self, collection: str) -> Iterator[None]:
        """Should the collection be gone, the next request for it asks before it does anything."""
        try:
            yield
        except (CollectionNotFound, EmbedderMismatch):
            self._recent.pop(collection, None)
            raise

    def _rules(
        self, collection: str, basis: Basis, options: SearchOptions, *, note: bool = True
    ) -> Thresholds:
        """How this collection decides. Raises ThresholdRequired also for a later stage."""
        rules = self._calibrator.resting_on(basis, collection)
        if note:
            if len(self._recent) >= _MOST_RECENT:
                self._recent.clear()
            self._recent[collection] = rules
        _require_threshold(rules, options)
        return rules

    async def _reach(self, collection: str, revision: int | None) -> None:
        """Wait until the database that is read here has come to a revision.

        Every search brings the index there as well.
        """
        if revision is None:
            return
        gives_up = monotonic() + self._limits.max_wait_s
        while True:
            reached = await reading(self._gallery.revision, collection)
            if reached >= revision:
                return
            if monotonic() > gives_up:
                raise RevisionNotReached(
                    f"collection {collection!r} is at revision {reached} here, and did not come to "
                    f"{revision} in {self._limits.max_wait_s:g} s"
                )
            await asyncio.sleep(_LOOK_AGAIN_S)

    def _remember(self, collection: str, terminal_id: str | None, matched: Sequence[str]) -> None:
        if terminal_id is None or not matched:
            return
        try:
            self._gallery.remember_match(
                collection, terminal_id, matched, most=self._limits.terminal_people
            )
        except (DatabaseUnavailable, CollectionNotFound) as error:
            # What a terminal remembers only makes the next search quicker; this one is done.
            _log.warning("match_not_remembered", terminal=terminal_id, cause=str(error))


def _decision(
    candidates: tuple[Candidate, ...],
    limit: float,
    rules: Thresholds,
    searched: Searched,
    stage: Stage,
    top_k: int,
) -> Decision:
    fpir = rules.fpir(candidates[0].similarity, searched) if candidates else None
    decision = decide(
        candidates,
        limit,
        margin=rules.find_margin(),
        searched=searched,
        stage=stage.name,
        fpir=fpir,
    )
    # Both people of an ambiguous answer are listed, however few were asked for.
    shown = max(top_k, _RIVALS) if decision.status is Status.AMBIGUOUS else top_k
    return replace(decision, candidates=candidates[:shown])


def _matched(decisions: Sequence[Decision]) -> list[str]:
    """Ids of the people who were recognised, each once."""
    return list(
        {decision.identity.id: None for decision in decisions if decision.identity is not None}
    )


def _require_threshold(rules: Thresholds, options: SearchOptions) -> None:
    """Raises ThresholdRequired."""
    if any(stage.threshold is None for stage in stages_of(options)):
        rules.require_identify(options.threshold, options.target_fpir)


def _good_enough(
    seen: Sequence[Sighting], qualities: Sequence[FaceQuality]
) -> list[Sighting | None]:
    """Those that may be kept as unknown faces; None in the place of the others."""
    return [
        None if shortcomings(quality, KEPT_FROM) else sighting
        for sighting, quality in zip(seen, qualities, strict=True)
    ]


def _without_search(rules: Thresholds, options: SearchOptions) -> float:
    """What is answered as the threshold of a face that was not looked up."""
    first = stages_of(options)[0].threshold
    return rules.for_identify(
        options.threshold if first is None else first,
        options.target_fpir,
        searched=Searched(people=0, faces=0),
    )


def unit_embedding(values: Sequence[float], *, dimension: int) -> Embedding:
    """Numbers of a caller's own as a unit vector. Raises InvalidRequest when they make none."""
    vector = np.asarray(values, dtype=np.float64)
    peak = float(np.abs(vector).max()) if vector.size == dimension else 0.0
    if not np.isfinite(peak) or peak == 0.0:
        raise InvalidRequest(f"an embedding must be {dimension} finite numbers, not all zero")
    scaled = vector / peak  # so that no square overflows or vanishes
    return np.asarray(scaled / np.linalg.norm(scaled), dtype=np.float32)
