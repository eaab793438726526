"""Everything that is held of a person: the document of a person's right of access."""

from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from pydantic import AliasPath, ConfigDict, Field

from app.api.schemas.audit import AuditLineBody
from app.api.schemas.consents import ConsentBody
from app.api.schemas.faces import FaceBody
from app.api.schemas.parts import answer_examples as examples
from app.api.schemas.parts.answer import Answer, attributes_of
from app.api.schemas.parts.decision import ErrorRateBody
from app.api.schemas.parts.field_types import (
    ErrorRate,
    ImageBytes,
    Schema,
    Similarity,
    Threshold,
)
from app.api.schemas.parts.person import ShownIdentityBody
from app.api.schemas.unknowns import UnknownFaceBody, UnknownGroupBody
from app.operations.access.findings import Basis, NotSearched
from app.operations.policy.face_rules import FaceRule

FORMAT: Final = "vultus-person"
FORMAT_VERSION: Final = 1


class CropsAs(StrEnum):
    """How crops are written: not at all, as paths that answer them, or as JPEG files in base64."""

    NONE = "none"
    LINKS = "links"
    BASE64 = "base64"


_FMR = Field(
    None,
    description="The false match rate at which faces count as the person's, for all collections. "
    "Without it, people count from the threshold of identify, and unknown faces from that by which "
    "the inbox groups them, as an erasure does.",
)


class ExportQuery(Schema):
    """What the document holds."""

    crops: CropsAs = Field(
        CropsAs.LINKS,
        description="Of crops that are kept: paths (`links`), JPEG files in base64 (`base64`), or "
        "nothing (`none`). Each crop in base64 has a line in the audit log.",
    )
    embeddings: bool = Field(
        False, description="With the embeddings of all faces; needs the right `templates`."
    )
    target_fmr: ErrorRate | None = _FMR


class ExportByPhotoBody(ExportQuery):
    """A photo of the person, which is not kept."""

    image: ImageBytes
    faces: FaceRule = Field(
        FaceRule.SINGLE, description="A photo of several faces: refuse it, or take the largest."
    )


class LimitBody(Answer):
    """The least similarity that counts, and the chance that two strangers reach it."""

    threshold: Threshold
    fmr: ErrorRateBody | None = Field(description="Null where the embedder was not measured.")


class SearchedCollectionBody(Answer):
    """A collection that was looked through, all that the key may see."""

    name: str
    people: LimitBody | None = Field(
        description="By which people were compared; null where they were not."
    )
    unknowns: LimitBody | None = Field(
        description="By which unknown faces were compared; null where there is no inbox."
    )
    not_searched: NotSearched | None = Field(
        description="Why no faces could be compared there: `other_embedder` (the person has no "
        "embedding by the embedder of the collection), `no_face` (the person has none), or "
        "`threshold_unknown`. Ids and photos that are the same were looked for in any case."
    )


class AskedBody(Answer):
    """What was asked for: a person by id, or the photo with this SHA-256."""

    collection: str | None
    identity_id: str | None
    image_sha256: str | None


class ExportHead(Answer):
    """The beginning of the document."""

    format: Literal["vultus-person"] = FORMAT
    format_version: Literal[1] = FORMAT_VERSION
    vultus_version: str
    made_at: datetime = Field(validation_alias="at")
    made_by: str = Field(description="Who asked for it: `principal` of the audit log.")
    asked: AskedBody
    collections: list[SearchedCollectionBody]


class FindingBody(Answer):
    """Where it was found, and why it is taken for the person's."""

    collection: str
    certain: bool = Field(
        description="True for the same id, the same external_id in another collection, and a face "
        "of the same photo; false for faces that are alike, which strangers' are now and then."
    )
    basis: Basis
    similarity: Similarity | None = Field(
        description="The greatest of the comparisons; null where none reached the limit. Three "
        "decimals without the right `templates`."
    )
    limit: LimitBody | None = Field(description="The one that the similarity reached.")


class CropBody(Answer):
    """A kept crop; one of the two is null."""

    path: str | None = Field(None, description="Of the request that answers it.")
    jpeg: str | None = Field(None, description="Base64. Null if it cannot be decrypted here.")


class _Parts(Answer):
    embedder: str = Field(description="Name of the network that made its embedding.")
    crop: CropBody | None = Field(description="Null where none is kept, or none was asked for.")
    embedding: list[float] | None = Field(description="Null unless it was asked for.")


class ExportedFaceBody(FaceBody, _Parts):
    model_config = ConfigDict(alias_generator=attributes_of("face"))


class ExportedUnknownFaceBody(UnknownFaceBody, _Parts):
    model_config = ConfigDict(alias_generator=attributes_of("face"))


class MatchBody(Answer):
    """The last match of the person at a terminal that remembers them."""

    terminal_id: str
    matched_at: datetime


class ExportedPersonHead(FindingBody):
    """A person, except their faces and lines of the audit log."""

    identity: ShownIdentityBody = Field(validation_alias=AliasPath("held", "identity"))
    consents: list[ConsentBody] = Field(validation_alias=AliasPath("held", "consents"))
    matches: list[MatchBody] = Field(validation_alias=AliasPath("held", "matches"))


class ExportedPersonBody(ExportedPersonHead):
    """A person with all that is held of them in one collection."""

    faces: list[ExportedFaceBody] = Field(description="Oldest first.")
    audit: list[AuditLineBody] | None = Field(
        description="Lines of the audit log about the person, newest first, with the receipts of "
        "faces that were erased; null for a key without the right `audit`."
    )


class ExportedGroupHead(FindingBody):
    """A group of unknown faces, except the faces."""

    group: UnknownGroupBody


class ExportedGroupBody(ExportedGroupHead):
    """A group of unknown faces that is likely of the person."""

    faces: list[ExportedUnknownFaceBody] = Field(description="Those that are kept, oldest first.")


class PersonDocument(ExportHead):
    """Everything that is held of a person, in every collection and inbox that the key may see.

    The document is written as it is read. One that does not end with `complete` was cut off.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [examples.PERSON_DOCUMENT]})

    people: list[ExportedPersonBody]
    unknown_groups: list[ExportedGroupBody]
    complete: Literal[True]
