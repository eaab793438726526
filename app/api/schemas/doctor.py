"""What the gallery doctor finds."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.api.schemas.parts import answer_examples as examples
from app.api.schemas.parts.pages import PageQuery
from app.gallery.doctor import Checkup, Finding, FindingKind
from app.gallery.store.repositories.page_cursors import encode_cursor
from app.gallery.store.repositories.people_repository import PersonRef
from app.operations.doctor import (
    ADVICE,
    Correction,
    DeleteFace,
    MergePeople,
    MoveFace,
    correction,
)


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


class ActionBody(BaseModel):
    """A request that corrects a finding; send it as it is, once you have looked."""

    method: Literal["POST", "DELETE"]
    path: str
    body: dict[str, Any] | None = Field(description="As JSON; null: none.")

    @classmethod
    def of(cls, wanted: Correction, collection: str) -> "ActionBody":
        base = f"/v1/collections/{collection}"
        match wanted:
            case MergePeople(into, source, if_revision):
                body = {"into": into, "from": [source], "if_revision": if_revision}
                return cls(method="POST", path=f"{base}/identities:merge", body=body)
            case MoveFace(face_id, identity_id):
                path = f"{base}/faces/{face_id}:move"
                return cls(method="POST", path=path, body={"identity_id": identity_id})
            case DeleteFace(identity_id, face_id):
                path = f"{base}/identities/{identity_id}/faces/{face_id}"
                return cls(method="DELETE", path=path, body=None)


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
    action: ActionBody | None = Field(
        description="What corrects it; null where that is for a person to find out. A merge is "
        "refused with 409 when one of the two changed since: ask again then."
    )

    @classmethod
    def of(
        cls,
        finding: Finding,
        collection: str,
        revision: int,
    ) -> "FindingBody":
        wanted = correction(finding, revision)
        return cls(
            kind=finding.kind,
            identity=FoundPersonBody.of(finding.identity),
            other=None if finding.other is None else FoundPersonBody.of(finding.other),
            face_id=finding.face_id,
            other_face_id=finding.other_face_id,
            similarity=finding.similarity,
            own_similarity=finding.own_similarity,
            threshold=finding.threshold,
            advice=ADVICE[finding.kind],
            action=None if wanted is None else ActionBody.of(wanted, collection),
        )


class DoctorAnswer(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.CHECKUP]})

    findings: list[FindingBody]
    identities_examined: int = Field(description="People whom this page looked at.")
    faces_examined: int
    revision: int = Field(description="Of the collection, as it was examined.")
    next_cursor: str | None = Field(
        description="Send it as `cursor` to go on; also where nothing was found so far."
    )

    @classmethod
    def of(cls, checkup: Checkup, collection: str) -> "DoctorAnswer":
        revision = checkup.revision
        return cls(
            findings=[FindingBody.of(found, collection, revision) for found in checkup.findings],
            identities_examined=checkup.identities_examined,
            faces_examined=checkup.faces_examined,
            revision=revision,
            next_cursor=None if checkup.next_after is None else encode_cursor(checkup.next_after),
        )
