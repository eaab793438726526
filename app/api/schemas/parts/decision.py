"""The decision on a face that was searched."""

from typing import Any, Literal

from pydantic import AliasPath, Field

from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.field_types import ShownFrom, Similarity, Threshold
from app.api.schemas.parts.person import IdentityBody
from app.operations.policy.decisions import Status
from app.operations.policy.rate_claims import RateReason

RATE_REASON: Any = Field(
    None,
    description="Why no error rate is answered: `low_quality` (the face is below the level "
    "`floor`, where no rate holds), `rejected` (it was not compared), `nobody_enrolled`, "
    "`not_measured` (the embedder is not calibrated), `withheld` (with the similarity). Null when "
    "one is.",
)


class ErrorRateBody(Answer):
    """A rate, 0 to 1, that was measured, and its 95 % interval."""

    value: float
    low: float
    high: float
    extrapolated: bool = Field(description="So few pairs are so alike that it is an estimate.")


class SearchedBody(Answer):
    """The people and faces that were searched; above 10,000 faces, to within one per cent."""

    people: int
    faces: int


class CandidateBody(Answer):
    """A person, compared by the mean of their examples."""

    identity_id: str = Field(validation_alias=AliasPath("identity", "id"))
    external_id: str | None = Field(validation_alias=AliasPath("identity", "external_id"))
    name: str | None = Field(validation_alias=AliasPath("identity", "name"))
    similarity: Similarity
    face_id: str = Field(description="The most similar of their faces.")
    examples: int = Field(description="How many faces of theirs the similarity was taken to.")


class DecisionBody(Answer):
    status: Status = Field(
        description="`unknown`: no enrolled person is similar enough. `ambiguous`: several are, "
        "and the most similar are too close to tell; see `candidates`. `rejected`: the face is not "
        "good enough for `quality_filter`, and was not searched."
    )
    identity: IdentityBody | None = Field(description="Who it is; null unless it is a match.")
    similarity: Similarity | None = Field(
        description="Of the most similar person, match or not; null when no person is enrolled, "
        "and below `shown_from`."
    )
    threshold: Threshold
    fpir: ErrorRateBody | None = Field(
        description="The chance that a stranger is at least as similar to one of those "
        "searched; null for the reason that `rate_reason` says."
    )
    rate_reason: RateReason | None = RATE_REASON
    searched: SearchedBody
    candidates: list[CandidateBody] = Field(
        description="The most similar people, whether or not they match, most alike first; those "
        "below `shown_from` are left out."
    )
    matched_stage: int | Literal["terminal"] | None = Field(
        description="Which of the `stages` matched, from 0 (also when none were sent), or "
        "`terminal`; null when unknown."
    )
    unknown_group_id: str | None = Field(
        description="The group of unknown faces that it was put into; null where the collection "
        "keeps none."
    )
    shown_from: ShownFrom
