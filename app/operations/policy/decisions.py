"""The open-set decision: which person it is, or none; among all people, or stage by stage."""

from dataclasses import dataclass, replace
from enum import StrEnum

from app.errors import Reason
from app.gallery.records import EVERYBODY, Candidate, Identity, PeopleFilter, Searched
from app.operations.policy.quality_filter import Shortcomings
from app.operations.policy.rate_claims import RateReason
from app.operations.policy.rate_scale import RateScale
from models.evaluation.calibration.similarity_map import ErrorRate

TERMINAL_STAGE = "terminal"


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the people, tried before others; `threshold` overrides the search's own."""

    wanted: PeopleFilter = EVERYBODY
    threshold: float | None = None
    name: int | str = 0
    """The name in answers: the place among the stages of the request, or TERMINAL_STAGE."""


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """Options of a search.

    `threshold` is a similarity, `target_fpir` a false positive identification rate (0 to 1,
    exclusive); with neither, the defaults decide. The stages are tried in order; the first with a
    match decides. `terminal_id` adds a stage before them, of the people who were matched at that
    terminal lately, and the terminal remembers who is matched now. The result is that of
    `min_revision` of the collection, or of a later one. `exclude_face_id` is an enrolled face that
    is left out. Without `keep_unknown`, unknown faces are not put into the inbox, even where the
    collection keeps them. `exclude_identity_id` is an enrolled person who is left out, whose
    template of `probe_examples` faces is the probe.
    """

    top_k: int
    threshold: float | None = None
    target_fpir: float | None = None
    stages: tuple[Stage, ...] = (Stage(),)
    terminal_id: str | None = None
    min_revision: int | None = None
    exclude_face_id: str | None = None
    exclude_identity_id: str | None = None
    probe_examples: int = 1
    keep_unknown: bool = True


class Status(StrEnum):
    MATCH = "match"
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"
    REJECTED = "rejected"
    """The face is not good enough to be searched."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision on a probe.

    `candidates` are the most similar people of the stage that decided, or else of the last one,
    whatever the threshold, most similar first. `identity` is the person, None unless there is a
    match. `similarity` is that of the first candidate, None without candidates. `fpir` is the
    probability that a stranger is at least that similar to one of those `searched`; None for the
    reason `rate_reason`. `matched_stage` is the stage of a match, or of an ambiguous decision.
    `unknown_group_id` is the group of unknown faces that the face was put into, if the collection
    keeps them. `shown_from`: candidates below this similarity are left out; see `disclosure`.
    `scale` has the error rates around the threshold; None if nothing was searched.
    """

    status: Status
    identity: Identity | None
    similarity: float | None
    threshold: float
    candidates: tuple[Candidate, ...]
    searched: Searched
    matched_stage: int | str | None = None
    fpir: ErrorRate | None = None
    rate_reason: RateReason | None = None
    reasons: tuple[Reason, ...] = ()
    """Why the face was rejected."""
    detail: str | None = None
    """The reasons as a text, with the remedy."""
    unknown_group_id: str | None = None
    shown_from: float | None = None
    scale: RateScale | None = None


def rejected(why: Shortcomings, threshold: float) -> Decision:
    """The decision on a face that was not searched."""
    return Decision(
        Status.REJECTED,
        None,
        None,
        threshold,
        (),
        Searched(people=0, faces=0),
        rate_reason=RateReason.REJECTED,
        reasons=why.reasons,
        detail=why.detail,
    )


def without_rate(decision: Decision) -> Decision:
    """The same decision without a rate, for a face below the floor."""
    return replace(decision, fpir=None, rate_reason=RateReason.LOW_QUALITY)


def decide(
    candidates: tuple[Candidate, ...],
    threshold: float,
    *,
    margin: float,
    searched: Searched,
    stage: int | str | None = None,
    scale: RateScale | None = None,
) -> Decision:
    """Decide for the nearest person, if they are near enough and no other person is as near.

    A person is near enough at the threshold, or at a higher one of their own. The decision is
    ambiguous if another person reaches the search's threshold less than `margin` behind; and if the
    nearest person does not reach their own threshold while another does, as it may be either. An
    anonymous person behind makes no decision ambiguous: it may be the same person.
    """
    fpir = scale.error_rate(candidates[0].similarity) if scale and candidates else None
    near = [found for found in candidates if found.similarity >= threshold_of(found, threshold)]
    if not near:
        status = Status.UNKNOWN
    elif near[0] is not candidates[0] or any(
        other.similarity >= threshold
        and near[0].similarity - other.similarity < margin
        and not other.identity.anonymous
        for other in candidates[1:]
    ):
        status = Status.AMBIGUOUS
    else:
        status = Status.MATCH
    return Decision(
        status=status,
        identity=near[0].identity if status is Status.MATCH else None,
        similarity=candidates[0].similarity if candidates else None,
        threshold=threshold,
        candidates=candidates,
        searched=searched,
        matched_stage=None if status is Status.UNKNOWN else stage,
        fpir=fpir,
        rate_reason=_rate_reason(candidates, fpir),
        scale=scale,
    )


def _rate_reason(candidates: tuple[Candidate, ...], fpir: ErrorRate | None) -> RateReason | None:
    if fpir is not None:
        return None
    return RateReason.NOT_MEASURED if candidates else RateReason.NOBODY_ENROLLED


def threshold_of(candidate: Candidate, threshold: float) -> float:
    """The threshold of the search, or the person's own if that is higher."""
    own = candidate.identity.threshold
    return threshold if own is None else max(threshold, own)


def stages_of(options: SearchOptions) -> list[Stage]:
    """All stages in their order, that of the terminal first."""
    if options.terminal_id is None:
        return list(options.stages)
    lately = Stage(PeopleFilter(terminal_id=options.terminal_id), name=TERMINAL_STAGE)
    return [lately, *options.stages]
