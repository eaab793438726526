"""The open-set decision: who it is, or nobody; among everybody, or stage by stage."""

from dataclasses import dataclass
from enum import StrEnum

from app.gallery.records import EVERYBODY, Candidate, Identity, PeopleFilter

TERMINAL_STAGE = "terminal"


@dataclass(frozen=True, slots=True)
class Stage:
    """Some of the people, tried before others; `threshold` overrides the search's own."""

    wanted: PeopleFilter = EVERYBODY
    threshold: float | None = None
    name: int | str = 0
    """What an answer calls it: its place among the stages asked for, or TERMINAL_STAGE."""


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How a probe is looked up.

    The stages are tried in order; the first with a match answers. `terminal_id` puts a stage before
    them, the people who were matched at that terminal lately, and remembers who is matched now.
    `min_revision` is a revision of the collection that the answer must not be older than.
    """

    top_k: int
    threshold: float | None = None
    stages: tuple[Stage, ...] = (Stage(),)
    terminal_id: str | None = None
    min_revision: int | None = None


class Status(StrEnum):
    MATCH = "match"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Decision:
    """`candidates` are the most similar people, whatever the threshold, most similar first.

    They are those of the stage that matched, or else of the last one. `identity` is the first of
    them if their similarity reaches the threshold, else None. `similarity` is that of the first
    candidate, None when there is nobody. `unknown_group_id` is the group of unknown faces that the
    face was put into, where the collection keeps them.
    """

    status: Status
    identity: Identity | None
    similarity: float | None
    threshold: float
    candidates: tuple[Candidate, ...]
    matched_stage: int | str | None = None
    unknown_group_id: str | None = None


def decide(
    candidates: tuple[Candidate, ...], threshold: float, stage: int | str | None = None
) -> Decision:
    """The open-set decision: the nearest person, if near enough."""
    best = candidates[0] if candidates else None
    if best is None or best.similarity < threshold:
        similarity = None if best is None else best.similarity
        return Decision(Status.UNKNOWN, None, similarity, threshold, candidates)
    return Decision(Status.MATCH, best.identity, best.similarity, threshold, candidates, stage)


def stages_of(options: SearchOptions) -> list[Stage]:
    """All stages in the order that they are tried in, the terminal's own first."""
    if options.terminal_id is None:
        return list(options.stages)
    lately = Stage(PeopleFilter(terminal_id=options.terminal_id), name=TERMINAL_STAGE)
    return [lately, *options.stages]
