"""Collections."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from app.api.schemas.parts.collection_options import OptionsBody, OptionsObject
from app.api.schemas.parts.field_types import (
    CollectionName,
    LongText,
    Schema,
)
from app.api.schemas.parts.model_body import ModelBody
from app.gallery.records import (
    UNSET,
    Collection,
    CollectionChanges,
)


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
