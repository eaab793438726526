"""A decision is a person, none, or ambiguous; stages are tried in order."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.gallery.records import EVERYBODY, Candidate, Identity, PeopleFilter, Searched
from app.operations.policy.decisions import (
    Decision,
    SearchOptions,
    Stage,
    Status,
    decide,
    stages_of,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SEARCHED = Searched(people=10, faces=12)


def _candidate(name: str, similarity: float, threshold: float | None = None) -> Candidate:
    identity = Identity(
        id=name,
        external_id=None,
        name=name,
        attributes={},
        face_count=1,
        created_at=NOW,
        updated_at=NOW,
        expires_at=None,
        revision=1,
        threshold=threshold,
    )
    return Candidate(identity, f"face of {name}", similarity)


def _decide(candidates: Sequence[Candidate], threshold: float, margin: float = 0.0) -> Decision:
    return decide(tuple(candidates), threshold, margin=margin, searched=SEARCHED, stage=3)


@pytest.mark.parametrize(
    ("threshold", "status"),
    [(0.5, Status.MATCH), (0.9, Status.MATCH), (0.9000001, Status.UNKNOWN), (1.0, Status.UNKNOWN)],
)
def test_nearest_person_matches_from_the_threshold_on(threshold: float, status: Status) -> None:
    candidates = (_candidate("a", 0.9), _candidate("b", 0.8))
    decision = _decide(candidates, threshold)
    assert decision.status is status
    assert decision.candidates == candidates
    assert (decision.similarity, decision.threshold) == (0.9, threshold)
    matched = status is Status.MATCH
    assert decision.identity == (candidates[0].identity if matched else None)
    assert decision.matched_stage == (3 if matched else None)


def test_without_candidates_the_decision_is_unknown() -> None:
    decision = _decide((), -1.0)
    assert (decision.status, decision.identity, decision.similarity) == (Status.UNKNOWN, None, None)
    assert decision.matched_stage is None


@pytest.mark.parametrize(
    ("second", "status"),
    [
        (0.86, Status.AMBIGUOUS),  # both match, within the margin
        (0.85, Status.MATCH),  # just outside of it
        (0.79, Status.MATCH),
    ],
)
def test_two_people_within_the_margin_are_not_asserted(second: float, status: Status) -> None:
    decision = _decide((_candidate("a", 0.9), _candidate("b", second)), 0.8, margin=0.05)
    assert decision.status is status
    assert (decision.identity is None) == (status is Status.AMBIGUOUS)
    assert decision.matched_stage == 3


def test_second_below_the_threshold_makes_nothing_ambiguous() -> None:
    decision = _decide((_candidate("a", 0.81), _candidate("b", 0.79)), 0.8, margin=0.05)
    assert decision.status is Status.MATCH


def test_equally_similar_people_are_ambiguous_with_any_margin() -> None:
    pair = (_candidate("a", 0.9), _candidate("b", 0.9))
    assert _decide(pair, 0.8, margin=1e-9).status is Status.AMBIGUOUS


def test_own_threshold_holds_a_person_back_and_never_lowers_the_searchs() -> None:
    assert _decide([_candidate("twin", 0.9, threshold=0.95)], 0.8).status is Status.UNKNOWN
    assert _decide([_candidate("twin", 0.96, threshold=0.95)], 0.8).status is Status.MATCH
    assert _decide([_candidate("a", 0.7, threshold=0.5)], 0.8).status is Status.UNKNOWN


def test_one_held_back_just_behind_makes_the_answer_ambiguous() -> None:
    pair = (_candidate("a", 0.96), _candidate("twin", 0.9599, threshold=0.97))
    assert _decide(pair, 0.94, margin=0.005).status is Status.AMBIGUOUS
    assert _decide(pair, 0.94, margin=0.0).status is Status.MATCH


def test_own_threshold_of_zero_counts() -> None:
    assert _decide([_candidate("a", -0.5, threshold=0.0)], -1.0).status is Status.UNKNOWN


def test_no_person_is_named_in_place_of_one_below_their_own_threshold() -> None:
    twin, other = _candidate("twin", 0.94, threshold=0.95), _candidate("other", 0.85)
    decision = _decide((twin, other), 0.8)
    assert (decision.status, decision.identity) == (Status.AMBIGUOUS, None)


def test_search_without_stages_looks_at_everybody() -> None:
    assert stages_of(SearchOptions(top_k=5)) == [Stage(EVERYBODY, None, 0)]


def test_terminal_is_tried_before_all_stages() -> None:
    stages = (Stage(PeopleFilter(identity_ids=("a",)), 0.5, 0), Stage(EVERYBODY, None, 1))
    first, *rest = stages_of(SearchOptions(top_k=5, stages=stages, terminal_id="door"))
    assert first == Stage(PeopleFilter(terminal_id="door"), None, "terminal")
    assert tuple(rest) == stages


def _anonymous(candidate: Candidate) -> Candidate:
    return replace(candidate, identity=replace(candidate.identity, anonymous=True))


def test_an_anonymous_person_behind_makes_no_decision_ambiguous() -> None:
    ada, bob = _candidate("Ada", 0.91), _candidate("Bob", 0.90)
    for first in (ada, _anonymous(ada)):
        found = _decide([first, _anonymous(bob)], 0.8, margin=0.05)
        assert (found.status, found.identity) == (Status.MATCH, first.identity)
    assert _decide([_anonymous(ada), bob], 0.8, margin=0.05).status is Status.AMBIGUOUS
