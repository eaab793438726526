"""Findings of the gallery doctor."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from app.api.schemas.parts import answer_examples as examples
from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.field_types import IdentityRef, RecordId, Schema, ShownFrom
from app.api.schemas.parts.pages import NextCursor, PageQuery
from app.gallery.dismissals import NoFindings
from app.gallery.doctor import Checkup, Finding, FindingKind
from app.gallery.store.statements.page_cursors import encode_cursor
from app.operations.doctor import (
    ADVICE,
    Correction,
    DeleteFace,
    MergePeople,
    MoveFace,
    correction,
    dismissal,
)


class DoctorQuery(PageQuery):
    limit: int = Field(
        100,
        ge=1,
        le=1_000,
        description="Findings after which the page ends; those of one person stay together.",
    )
    within_s: float = Field(
        10.0, gt=0, le=60, description="Seconds after which the page ends, found or not."
    )


class FoundPersonBody(Answer):
    identity_id: str
    name: str | None
    external_id: str | None


class ActionBody(Answer):
    """A request that corrects a finding; send it as it is, once you have looked."""

    method: Literal["POST", "DELETE"]
    path: str
    body: dict[str, Any] | None = Field(description="As JSON; null: none.")

    @classmethod
    def request(cls, wanted: Correction, collection: str) -> "ActionBody":
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

    @classmethod
    def dismissing(cls, finding: Finding, collection: str) -> "ActionBody":
        none = dismissal(finding)
        body = (
            {"face_ids": list(none.face_ids)}
            if none.face_ids
            else {"pairs": [list(pair) for pair in none.pairs]}
        )
        path = f"/v1/collections/{collection}/doctor:dismiss"
        return cls(method="POST", path=path, body=body)


class FindingBody(Answer):
    """A likely mistake; it is corrected by `action`, and not by itself."""

    kind: FindingKind
    identity: FoundPersonBody
    other: FoundPersonBody | None = Field(
        description="The person whom the face looks like, or who may be the same person."
    )
    face_id: str | None = Field(description="The face in question, one of `identity`.")
    other_face_id: str | None = Field(description="The face of `other` that it looks like.")
    similarity: float | None = Field(
        description="To `other`; of two people the mean over their faces' most similar ones. Null "
        "below `shown_from`."
    )
    own_similarity: float | None = Field(
        description="Of the face to the most similar of the person's other faces. Null below "
        "`shown_from`."
    )
    threshold: float = Field(description="The limit that the similarity was compared with.")
    shown_from: ShownFrom
    advice: str
    dismissal: ActionBody = Field(
        description="The request that dismisses it, so that it is not reported again."
    )
    action: ActionBody | None = Field(
        description="The request that corrects it; null where a person must decide. A merge is "
        "refused with 409 when one of the two was changed since: ask again then."
    )

    @classmethod
    def found(cls, finding: Finding, collection: str, revision: int) -> "FindingBody":
        """Make the answer; `revision` is that of the collection when it was examined."""
        wanted = correction(finding, revision)
        return cls.of(
            finding,
            advice=ADVICE[finding.kind],
            dismissal=ActionBody.dismissing(finding, collection),
            action=None if wanted is None else ActionBody.request(wanted, collection),
        )


class DoctorAnswer(Answer):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.CHECKUP]})

    findings: list[FindingBody]
    identities_examined: int = Field(description="People on this page, with findings or without.")
    faces_examined: int
    revision: int = Field(description="Of the collection, as it was examined.")
    next_cursor: str | None = Field(
        description="Send it as `cursor` to go on; also where nothing was found so far."
    )

    @classmethod
    def page(cls, checkup: Checkup, collection: str) -> "DoctorAnswer":
        return cls.of(
            checkup,
            findings=[
                FindingBody.found(found, collection, checkup.revision) for found in checkup.findings
            ],
            next_cursor=None if checkup.next_after is None else encode_cursor(checkup.next_after),
        )


_MOST_DISMISSED = 1_000


class DismissBody(Schema):
    """Findings that are none: pairs of two different people, and faces that show their person."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"pairs": [["ext:emp-1042", "ext:emp-1043"]]}]}
    )

    pairs: Annotated[list[tuple[IdentityRef, IdentityRef]], Field(fail_fast=True)] = Field(
        default_factory=list,
        max_length=_MOST_DISMISSED,
        description="Two people each, in any order: no `duplicate` and no `look_alike`.",
    )
    face_ids: Annotated[list[RecordId], Field(fail_fast=True)] = Field(
        default_factory=list,
        max_length=_MOST_DISMISSED,
        description="No `mislabel` and no `outlier`, as long as the person has them.",
    )

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.pairs and not self.face_ids:
            raise ValueError("send pairs or face_ids")
        return self

    def no_findings(self) -> NoFindings:
        return NoFindings(tuple(self.pairs), tuple(self.face_ids))


class DismissAnswer(Answer):
    changed: int = Field(description="How many of them were not dismissed before.")


class RestoreAnswer(Answer):
    changed: int = Field(description="How many of them were dismissed.")


class DismissalBody(Answer):
    """What the doctor no longer reports: two people as a pair, or a face of one person."""

    identities: list[FoundPersonBody]
    face_id: str | None
    dismissed_at: datetime


class DismissalPage(Answer):
    dismissals: list[DismissalBody] = Field(validation_alias="items")
    next_cursor: NextCursor
