"""Collections."""

from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field

from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.collection_options import OptionsBody, OptionsObject, as_body
from app.api.schemas.parts.field_types import CollectionName, LongText, Schema
from app.api.schemas.parts.pages import NextCursor, PageQuery
from app.api.schemas.parts.photo_faces import ModelBody
from app.gallery.records import UNSET, CollectionChanges
from app.gallery.value_types import MAX_COLLECTION_NAME


class NewCollectionBody(Schema):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "staff", "description": "Head office"}]}
    )

    name: CollectionName
    description: LongText | None = None


class CollectionsQuery(PageQuery):
    q: str | None = Field(
        None, max_length=MAX_COLLECTION_NAME, description="The name begins so; case does not count."
    )


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


class CollectionBody(Answer):
    name: str
    description: str | None
    identity_count: int = Field(description="People, without those who are anonymous.")
    anonymous_count: int = Field(description="Anonymous people.")
    face_count: int = Field(description="Faces of all people, anonymous ones too.")
    unknown_count: int = Field(description="Groups in the inbox of unknown faces.")
    unknown_face_count: int = Field(description="Faces in these groups.")
    held_count: int = Field(description="People under a legal hold, who are not erased.")
    revision: int = Field(description="Grows with every change of its people or faces.")
    model: ModelBody
    created_at: datetime
    options: Annotated[OptionsBody, BeforeValidator(as_body)]


class CollectionPage(Answer):
    collections: list[CollectionBody] = Field(validation_alias="items")
    next_cursor: NextCursor
