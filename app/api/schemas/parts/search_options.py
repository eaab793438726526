"""Options of a search."""

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from app.api.schemas.parts.field_types import (
    ErrorRate,
    Schema,
    Threshold,
    TopK,
    parse_json_text,
    require_one_at_most,
)
from app.api.schemas.parts.people_filter import FilterBody, FilterObject, TerminalId
from app.operations.policy.decisions import SearchOptions, Stage

DEFAULT_TOP_K = 5


class StageBody(Schema):
    """Some of the people, tried before those of the next stage."""

    filter: FilterObject = Field(default_factory=FilterBody)
    threshold: Threshold | None = None


StageList = Annotated[
    list[StageBody],
    Field(fail_fast=True, min_length=1, max_length=10),
    BeforeValidator(parse_json_text),
]


class SearchOptionsBody(Schema):
    """Options of a search for the person of a face."""

    top_k: TopK = DEFAULT_TOP_K
    threshold: Threshold | None = None
    target_fpir: ErrorRate | None = Field(
        None,
        description="Instead of `threshold`: the share of strangers who may be given a name, "
        "however many people are searched.",
        examples=[0.01],
    )
    filter: FilterObject | None = Field(
        None, description="Search these people only. In a form: as JSON text."
    )
    stages: StageList | None = Field(
        None,
        description="Tried in order; the first with a match answers. In a form: as JSON text.",
    )
    terminal_id: TerminalId | None = Field(
        None,
        description="Search the people first who were matched at this terminal lately, and "
        "remember who is matched now.",
    )
    min_revision: int | None = Field(
        None,
        ge=0,
        le=2**63 - 1,
        description="A revision that a write answered: the answer is not older than it.",
    )
    keep_unknown: bool = Field(
        True,
        description="false: the faces of this request are not put into the inbox of unknown faces, "
        "even where the collection keeps them. true: the collection's `unknowns.keep` decides.",
    )

    @model_validator(mode="after")
    def _threshold_or_rate(self) -> Self:
        require_one_at_most(self, "threshold", "target_fpir")
        return self

    @model_validator(mode="after")
    def _filter_or_stages(self) -> Self:
        if self.filter is not None and self.stages is not None:
            raise ValueError("send either filter or stages; a stage has a filter of its own")
        return self

    def options(self) -> SearchOptions:
        stages = self.stages
        if stages is None:
            stages = [StageBody(filter=self.filter or FilterBody())]
        return SearchOptions(
            top_k=self.top_k,
            threshold=self.threshold,
            target_fpir=self.target_fpir,
            stages=tuple(
                Stage(stage.filter.people(), stage.threshold, place)
                for place, stage in enumerate(stages)
            ),
            terminal_id=self.terminal_id,
            min_revision=self.min_revision,
            keep_unknown=self.keep_unknown,
        )
