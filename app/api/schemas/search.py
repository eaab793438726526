"""1:N search by an embedding, an enrolled face or an enrolled person."""

from pydantic import ConfigDict, Field, model_validator

from app.api.schemas.parts import answer_examples as examples
from app.api.schemas.parts.decision import DecisionBody
from app.api.schemas.parts.field_types import EmbeddingValues, IdentityRef, RecordId
from app.api.schemas.parts.photo_faces import ModelBody
from app.api.schemas.parts.search_options import DEFAULT_TOP_K, SearchOptionsBody


class SearchBody(SearchOptionsBody):
    """An `embedding`, the `face_id` of an enrolled face, or the `identity_id` of a person."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"face_id": examples.FACE_ID}]})

    embedding: EmbeddingValues | None = None
    face_id: RecordId | None = Field(None, description="It is searched as if it were not enrolled.")
    identity_id: IdentityRef | None = Field(
        None, description="The mean of their faces is searched among all other people."
    )
    top_k: int = Field(DEFAULT_TOP_K, ge=1, le=500, description="Most candidates.")

    @model_validator(mode="after")
    def _one_probe(self) -> "SearchBody":
        probes = (self.embedding, self.face_id, self.identity_id)
        if sum(probe is not None for probe in probes) != 1:
            raise ValueError("send either embedding, face_id or identity_id")
        return self


class SearchAnswer(DecisionBody):
    model: ModelBody
