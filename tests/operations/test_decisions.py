"""Who it is, or nobody; and which people are tried first."""

from datetime import UTC, datetime

import pytest

from app.gallery.records import EVERYBODY, Candidate, Identity, PeopleFilter
from app.operations.decisions import SearchOptions, Stage, Status, decide, stages_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _candidate(name: str, similarity: float) -> Candidate:
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
    )
    return Candidate(identity, f"face of {name}", similarity)


@pytest.mark.parametrize(
    ("threshold", "status"),
    [(0.5, Status.MATCH), (0.9, Status.MATCH), (0.9000001, Status.UNKNOWN), (1.0, Status.UNKNOWN)],
)
def test_nearest_person_matches_from_the_threshold_on(threshold: float, status: Status) -> None:
    candidates = (_candidate("a", 0.9), _candidate("b", 0.8))
    decision = decide(candidates, threshold, stage=3)
    assert decision.status is status
    assert decision.candidates == candidates
    assert (decision.similarity, decision.threshold) == (0.9, threshold)
    matched = status is Status.MATCH
    assert decision.identity == (candidates[0].identity if matched else None)
    assert decision.matched_stage == (3 if matched else None)


def test_nobody_is_similar_to_nobody() -> None:
    decision = decide((), -1.0, stage=0)
    assert (decision.status, decision.identity, decision.similarity) == (Status.UNKNOWN, None, None)
    assert decision.matched_stage is None


def test_search_without_stages_looks_at_everybody() -> None:
    assert stages_of(SearchOptions(top_k=5)) == [Stage(EVERYBODY, None, 0)]


def test_terminal_is_tried_before_all_stages() -> None:
    stages = (Stage(PeopleFilter(identity_ids=("a",)), 0.5, 0), Stage(EVERYBODY, None, 1))
    first, *rest = stages_of(SearchOptions(top_k=5, stages=stages, terminal_id="door"))
    assert first == Stage(PeopleFilter(terminal_id="door"), None, "terminal")
    assert tuple(rest) == stages
