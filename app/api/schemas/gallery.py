"""Collections, identities and faces."""

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.api.schemas import examples
from app.api.schemas.fields import (
    AttributesObject,
    BoxArray,
    CollectionName,
    FutureMoment,
    IdentityRef,
    ImageList,
    LongText,
    QualityLevel,
    QualityScore,
    Schema,
    ShortText,
    Threshold,
)
from app.api.schemas.options import OptionsBody, OptionsObject
from app.api.schemas.problem import RejectedImageBody
from app.gallery.records import (
    UNSET,
    Collection,
    CollectionChanges,
    Erasure,
    Face,
    Identity,
    IdentityFilter,
    NewIdentity,
)
from app.operations.choices import FaceRule, QualityFilter
from app.operations.enroll import EnrolledFace, Enrollment, PassedOverFace
from app.recognition.types import ModelId

OWN_THRESHOLD = (
    "Below this similarity nobody is taken for this person, whatever a search asks for. Raise it "
    "for people who are hard to tell apart: twins, look-alikes."
)
EITHER = "send either identity_id, or what a new person is called"


class PageQuery(Schema):
    """Query parameters of every list; unknown ones are refused, as in bodies."""

    limit: int = Field(100, ge=1, le=1_000, description="Most items of the page.")
    cursor: str | None = Field(None, max_length=64, description="`next_cursor` of the page before.")


class IdentityQuery(PageQuery):
    external_id: ShortText | None = Field(None, description="Exactly this one.")
    name: ShortText | None = Field(None, description="Exactly this one.")
    external_id_prefix: ShortText | None = Field(
        None, description="Begins so; case and accents do not count."
    )
    name_prefix: ShortText | None = Field(
        None,
        description="Begins so; case and accents do not count: `muller` finds Müller.",
        examples=["muller"],
    )
    q: ShortText | None = Field(
        None, description="The name or the external_id begins so; case and accents do not count."
    )

    def wanted(self) -> IdentityFilter:
        return IdentityFilter(
            external_id=self.external_id,
            name=self.name,
            external_id_prefix=self.external_id_prefix,
            name_prefix=self.name_prefix,
            prefix=self.q,
        )


class ModelBody(BaseModel):
    """The network that made an embedding."""

    name: str = Field(examples=["sface"])
    digest: str = Field(description="SHA-256 of its weights.")

    @classmethod
    def of(cls, model: ModelId) -> "ModelBody":
        return cls(name=model.name, digest=model.digest)


class NewCollectionBody(Schema):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "staff", "description": "Head office"}]}
    )

    name: CollectionName
    description: LongText | None = None


class PatchCollectionBody(Schema):
    """Fields that are left out stay as they are; null sets one back to the service's default."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"options": {"decisions": {"target_fpir": 0.01}}}]}
    )

    description: LongText | None = None
    options: OptionsObject = Field(default_factory=OptionsBody)

    def changes(self) -> CollectionChanges:
        return CollectionChanges(
            description=self.description if "description" in self.model_fields_set else UNSET,
            options=self.options.patch(),
        )


class CollectionBody(BaseModel):
    name: str
    description: str | None
    identity_count: int
    face_count: int
    revision: int = Field(description="Grows with every change of its people or faces.")
    model: ModelBody
    created_at: datetime
    options: OptionsBody

    @classmethod
    def of(cls, collection: Collection) -> "CollectionBody":
        return cls(
            name=collection.name,
            description=collection.description,
            identity_count=collection.identity_count,
            face_count=collection.face_count,
            revision=collection.revision,
            model=ModelBody(name=collection.embedder, digest=collection.digest),
            created_at=collection.created_at,
            options=OptionsBody.of(collection.options),
        )


class CollectionPage(BaseModel):
    collections: list[CollectionBody]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page.")


class EnrollBody(Schema):
    """A person and photos of them, one face a photo."""

    name: ShortText | None = Field(None, examples=["Eileen Collins"])
    external_id: ShortText | None = Field(
        None, description="Your own key; unique in the collection.", examples=["emp-1042"]
    )
    attributes: AttributesObject = Field(default_factory=dict)
    expires_at: FutureMoment | None = Field(
        None, description="From then on the person matches nobody, and is erased."
    )
    threshold: Threshold | None = Field(None, description=OWN_THRESHOLD)
    images: ImageList = Field(default_factory=list)
    faces: FaceRule = Field(
        FaceRule.SINGLE, description="A photo of several faces: refuse it, or take the largest."
    )
    quality_filter: QualityLevel = QualityFilter.AUTO
    force: bool = Field(
        False,
        description="Enroll also what the guards refuse as another person; noted on the face.",
    )


class AddFacesBody(Schema):
    """More photos of a person."""

    images: ImageList = Field(min_length=1)
    faces: FaceRule = Field(
        FaceRule.SINGLE, description="A photo of several faces: refuse it, or take the largest."
    )
    quality_filter: QualityLevel = QualityFilter.AUTO
    force: bool = Field(
        False,
        description="Enroll also what the guards refuse as another person; noted on the face.",
    )


class NewOrEnrolledBody(Schema):
    """A person: an enrolled one by `identity_id`, or what a new one is called."""

    identity_id: IdentityRef | None = None
    name: ShortText | None = None
    external_id: ShortText | None = None
    attributes: AttributesObject = Field(default_factory=dict)
    expires_at: FutureMoment | None = None
    threshold: Threshold | None = Field(None, description=OWN_THRESHOLD)

    @model_validator(mode="after")
    def _not_both(self) -> Self:
        if self.identity_id is not None and self.describes_a_new_person:
            raise ValueError(EITHER)
        return self

    @property
    def describes_a_new_person(self) -> bool:
        of_a_new_person = {"name", "external_id", "attributes", "expires_at", "threshold"}
        return bool(self.model_fields_set & of_a_new_person)

    def who(self) -> NewIdentity | str:
        if self.identity_id is not None:
            return self.identity_id
        return NewIdentity(
            self.name, self.external_id, self.attributes, self.expires_at, self.threshold
        )


class PatchIdentityBody(Schema):
    """Fields that are left out stay as they are; null empties one."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Eileen M. Collins", "external_id": None}]}
    )

    name: ShortText | None = None
    external_id: ShortText | None = None
    attributes: AttributesObject = Field(default_factory=dict)
    expires_at: FutureMoment | None = None
    threshold: Threshold | None = Field(None, description=OWN_THRESHOLD)


class IdentityBody(BaseModel):
    id: str
    external_id: str | None
    name: str | None
    attributes: dict[str, Any]
    face_count: int
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    threshold: float | None = Field(description=OWN_THRESHOLD)
    revision: int = Field(
        description="Of the collection when this was read, or written. As `min_revision` of a "
        "search it makes sure that the search sees this."
    )

    @classmethod
    def of(cls, identity: Identity) -> "IdentityBody":
        return cls(
            id=identity.id,
            external_id=identity.external_id,
            name=identity.name,
            attributes=dict(identity.attributes),
            face_count=identity.face_count,
            created_at=identity.created_at,
            updated_at=identity.updated_at,
            expires_at=identity.expires_at,
            threshold=identity.threshold,
            revision=identity.revision,
        )


class IdentityPage(BaseModel):
    identities: list[IdentityBody]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page.")


class EnrolledFaceBody(BaseModel):
    id: str
    image_index: int
    box: BoxArray | None
    detection_score: float | None
    quality: QualityScore | None
    already_enrolled: bool = Field(
        description="The person had this very photo, or the same picture of the face, before."
    )
    forced: bool = Field(description="Enrolled although a guard advised against it.")

    @classmethod
    def of(cls, enrolled: EnrolledFace) -> "EnrolledFaceBody":
        face = enrolled.face
        return cls(
            id=face.id,
            image_index=enrolled.image_index,
            box=face.box,
            detection_score=face.detection_score,
            quality=face.quality,
            already_enrolled=enrolled.already_enrolled,
            forced=face.forced,
        )


class PassedOverBody(BaseModel):
    """A face on a photo that did not count: it could not have been used, or is not who is meant."""

    image_index: int
    box: BoxArray
    detection_score: float
    reasons: list[str] = Field(
        description="What it lacks of `quality_filter`, as in `rejected`; or `much_smaller` than "
        "the largest face, `not_largest` where `faces=largest` was sent, or `beyond_limit` where "
        "`faces=any` was sent and more faces are there than are compared.",
        examples=[["low_sharpness"]],
    )

    @classmethod
    def of(cls, found: PassedOverFace) -> "PassedOverBody":
        face = found.passed_over.face
        return cls(
            image_index=found.image_index,
            box=face.box,
            detection_score=face.score,
            reasons=list(found.passed_over.reasons),
        )


class EnrollmentBody(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.ENROLLMENT]})

    identity: IdentityBody
    faces: list[EnrolledFaceBody]
    rejected: list[RejectedImageBody]
    passed_over: list[PassedOverBody] = Field(
        description="Other faces on the photos that were used."
    )

    @classmethod
    def of(cls, enrollment: Enrollment) -> "EnrollmentBody":
        return cls(
            identity=IdentityBody.of(enrollment.identity),
            faces=[EnrolledFaceBody.of(face) for face in enrollment.faces],
            rejected=[RejectedImageBody.of(image) for image in enrollment.rejected],
            passed_over=[PassedOverBody.of(found) for found in enrollment.passed_over],
        )


class ErasureQuery(Schema):
    compact: bool = Field(
        False,
        description="Overwrite at once what the database's and the index's files still hold of it. "
        "Takes as long as writing them; without it, they are rewritten in the background.",
    )


class ErasureBody(BaseModel):
    """The receipt of a deletion: all of it is gone, from here on nobody finds it."""

    collection: str
    identity_ids: list[str] = Field(description="The people erased; empty for a collection.")
    face_ids: list[str] = Field(description="The faces erased; empty for a collection.")
    identity_count: int
    face_count: int
    revision: int = Field(description="Of the collection, with this deletion.")
    erased_at: datetime
    compacted: bool = Field(description="Whether files were rewritten as well; see `compact`.")
    unknown_face_count: int = Field(description="Faces erased with it that were kept as unknown.")
    crop_count: int = Field(description="Of how many of the faces a crop was kept, and erased.")

    @classmethod
    def of(cls, erasure: Erasure) -> "ErasureBody":
        return cls(
            collection=erasure.collection,
            identity_ids=list(erasure.identity_ids),
            face_ids=list(erasure.face_ids),
            identity_count=erasure.identity_count,
            face_count=erasure.face_count,
            revision=erasure.revision,
            erased_at=erasure.erased_at,
            compacted=erasure.compacted,
            unknown_face_count=erasure.unknown_face_count,
            crop_count=erasure.crop_count,
        )


class FaceBody(BaseModel):
    id: str
    identity_id: str
    box: BoxArray | None
    detection_score: float | None
    quality: QualityScore | None
    image_sha256: str | None
    forced: bool = Field(description="Enrolled although a guard advised against it.")
    created_at: datetime

    @classmethod
    def of(cls, face: Face) -> "FaceBody":
        return cls(
            id=face.id,
            identity_id=face.identity_id,
            box=face.box,
            detection_score=face.detection_score,
            quality=face.quality,
            image_sha256=face.image_sha256,
            forced=face.forced,
            created_at=face.created_at,
        )


class FacePage(BaseModel):
    faces: list[FaceBody]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page.")
