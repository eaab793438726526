"""The search of an identification: index, database and decision. It blocks."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from app.errors import CollectionNotFound, EmbedderMismatch
from app.gallery.gallery import Gallery
from app.gallery.records import Candidate, DecisionBasis, Scoring, Searched, SearchResult
from app.gallery.rollout.embedder_pair import Probe
from app.gallery.search.nearest_people import PeopleQuery
from app.operations.policy.calibrator import Calibrator
from app.operations.policy.decisions import (
    Decision,
    SearchOptions,
    Stage,
    Status,
    decide,
    stages_of,
)
from app.operations.policy.disclosure import permitted
from app.operations.policy.rate_scale import RateScale
from app.operations.policy.thresholds import Thresholds
from app.recognition.types import ModelId

_LEAST_COMPARED = 10
"""People that a decision takes into account, however few are requested."""
_RIVALS = 2
"""People in an ambiguous answer, however few are requested."""

Find = Callable[[str, Sequence[Probe], PeopleQuery], SearchResult | None]


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision for each probe, with the policy and basis of all of them."""

    decisions: list[Decision]
    policy: Thresholds
    basis: DecisionBasis

    @property
    def model(self) -> ModelId:
        return self.basis.model


class BlockingSearch:
    """Decides which people probes are. All methods block: call them on a thread."""

    def __init__(self, gallery: Gallery, calibrator: Calibrator) -> None:
        self._gallery = gallery
        self._calibrator = calibrator

    def recent(self, collection: str) -> Thresholds | None:
        """Return the policy that was read last; the collection may have been deleted since."""
        state = self._gallery.states.named(collection)
        return None if state is None else state.latest(Thresholds)

    def policy(self, collection: str, options: SearchOptions) -> Decided:
        """Return the policy of a collection, without decisions.

        Raises CollectionNotFound, EmbedderMismatch and ThresholdRequired.
        """
        with self._forgetting(collection):
            basis = self._gallery.collections.require(collection)
        policy = self._policy(collection, basis, options)
        self._note(collection, policy, basis)
        return Decided([], policy, basis)

    def decide(self, collection: str, probes: Sequence[Probe], options: SearchOptions) -> Decided:
        """Decide on each of one or more probes. Raises as `policy` does."""
        decided = self._decide(collection, probes, options, self._gallery.search.find)
        assert decided is not None  # `find` always has a result
        self._note(collection, decided.policy, decided.basis)
        return decided

    def decide_by_other_embedder(
        self, collection: str, probes: Sequence[Probe], options: SearchOptions
    ) -> list[Decision] | None:
        """Decide by the other embedder of a collection; None if it has none that runs here.

        A similarity in the options belongs to the embedder that serves, so the default is used.
        """
        options = replace(
            options,
            threshold=None,
            stages=tuple(replace(stage, threshold=None) for stage in options.stages),
        )
        find = self._gallery.search.find_by_other_embedder
        decided = self._decide(collection, probes, options, find)
        return None if decided is None else decided.decisions

    def _decide(
        self, collection: str, probes: Sequence[Probe], options: SearchOptions, find: Find
    ) -> Decided | None:
        """Try the stages in order for the probes that no stage before has decided on.

        None if `find` has no result.
        """
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
            query = PeopleQuery(
                max(options.top_k, _LEAST_COMPARED),
                datetime.now(UTC),
                stage.wanted,
                options.exclude_face_id,
                Scoring.TEMPLATE,
                options.exclude_identity_id,
            )
            with self._forgetting(collection):
                result = find(collection, [probes[place] for place in open_places], query)
            if result is None:
                return None
            basis = result.basis
            policy = self._policy(collection, basis, options)
            doubt = policy.gain(options.probe_examples)
            wanted = policy.for_identify(
                options.threshold if stage.threshold is None else stage.threshold,
                options.target_fpir,
                searched=result.searched,
                looks=len(stages),
                doubt=doubt,
            )
            scale = RateScale(
                policy, permitted(wanted, policy), searched=result.searched, doubt=doubt
            )
            for place, candidates in zip(open_places, result.candidates, strict=True):
                decisions[place] = _decision(
                    candidates, scale, policy, result.searched, stage, options.top_k
                )
        return Decided([decisions[place] for place in range(len(probes))], policy, basis)

    @contextmanager
    def _forgetting(self, collection: str) -> Iterator[None]:
        """Forget the policy when the collection is gone: the next request reads it again."""
        try:
            yield
        except (CollectionNotFound, EmbedderMismatch):
            self._gallery.states.forget_name(collection)
            raise

    def _policy(self, collection: str, basis: DecisionBasis, options: SearchOptions) -> Thresholds:
        """Raises ThresholdRequired, also for a later stage."""
        policy = self._calibrator.resting_on(basis, collection)
        require_threshold(policy, options)
        return policy

    def _note(self, collection: str, policy: Thresholds, basis: DecisionBasis) -> None:
        key = basis.collection_number, basis.model.digest
        state = self._gallery.states.note_name(collection, key)
        state.derive(Thresholds, basis.calibration or "", policy)


def require_threshold(policy: Thresholds, options: SearchOptions) -> None:
    """Raises ThresholdRequired if a stage of a search has no threshold."""
    if any(stage.threshold is None for stage in stages_of(options)):
        policy.require_identify(options.threshold, options.target_fpir)


def _decision(
    candidates: tuple[Candidate, ...],
    scale: RateScale,
    policy: Thresholds,
    searched: Searched,
    stage: Stage,
    top_k: int,
) -> Decision:
    decision = decide(
        candidates,
        scale.threshold,
        margin=policy.find_margin(),
        searched=searched,
        stage=stage.name,
        scale=scale,
    )
    shown = max(top_k, _RIVALS) if decision.status is Status.AMBIGUOUS else top_k
    return replace(decision, candidates=candidates[:shown])
