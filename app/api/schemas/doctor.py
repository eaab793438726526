"""What the gallery doctor finds."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from app.api.remedies import ADVICE
from app.api.schemas import examples
from app.api.schemas.gallery import PageQuery
from app.gallery.doctor import Checkup, Finding, FindingKind
from app.gallery.repositories.cursors import encode_cursor
from app.gallery.repositories.people import PersonRef


class DoctorQuery(PageQuery):
    limit: int = Field(
        100,
        ge=1,
        le=1_000,
        description="Findings after which the page ends; those of one person are not torn apart.",
    )
    within_s: float = Field(
        10.0, gt=0, le=60, description="Seconds after which the page ends, found or not."
    )


class FoundPersonBody(BaseModel):
    identity_id: str
    name: str | None
    external_id: str | None

    @classmethod
    def of(cls, person: PersonRef) -> "FoundPersonBody":
        return cls(identity_id=person.identity_id, name=person.name, external_id=person.external_id)


class FindingBody(BaseModel):
    """Something to look at; nothing is changed by itself."""

    kind: FindingKind
    identity: FoundPersonBody
    other: FoundPersonBody | None = Field(
        description="Whom the face looks like, or who may be the same person."
    )
    face_id: str | None = Field(description="The face in question, one of `identity`.")
    other_face_id: str | None = Field(description="The face of `other` that it looks like.")
    similarity: float | None = Field(
        description="To `other`; of two people the mean over their faces' most similar ones."
    )
    own_similarity: float | None = Field(
        description="Of the face to the most similar of the person's other faces."
    )
    threshold: float = Field(description="What the similarity was held against.")
    advice: str

    @classmethod
    def of(cls, finding: Finding, advice: Mapping[FindingKind, str] = ADVICE) -> "FindingBody":
        """`advice`: that for the reader."""
        return cls(
            kind=finding.kind,
            identity=FoundPersonBody.of(finding.identity),
            other=None if finding.other is None else FoundPersonBody.of(finding.other),
            face_id=finding.face_id,
            other_face_id=finding.other_face_id,
            similarity=finding.similarity,
            own_similarity=finding.own_similarity,
            threshold=finding.threshold,
            advice=advice[finding.kind],
        )


class DoctorAnswer(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.CHECKUP]})

    findings: list[FindingBody]
    identities_examined: int = Field(description="People whom this page looked at.")
    faces_examined: int
    next_cursor: str | None = Field(
        description="Send it as `cursor` to go on; also where nothing was found so far."
    )

    @classmethod
    def of(cls, checkup: Checkup) -> "DoctorAnswer":
        return cls(
            findings=[FindingBody.of(finding) for finding in checkup.findings],
            identities_examined=checkup.identities_examined,
            faces_examined=checkup.faces_examined,
            next_cursor=None if checkup.next_after is None else encode_cursor(checkup.next_after),
        )
