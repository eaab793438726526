"""1:N search by an embedding or an enrolled face."""

from pydantic import ConfigDict, model_validator

from app.api.schemas.parts import answer_examples as examples
from app.api.schemas.parts.decision import DecisionBody
from app.api.schemas.parts.field_types import EmbeddingValues, RecordId
from app.api.schemas.parts.photo_faces import ModelBody
from app.api.schemas.parts.search_options import SearchOptionsBody


class SearchBody(SearchOptionsBody):
    """Either an `embedding` or the `face_id` of an enrolled face."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"face_id": examples.FACE_ID}]})

    embedding: EmbeddingValues | None = None
    face_id: RecordId | None = None

    @model_validator(mode="after")
    def _one_probe(self) -> "SearchBody":
        if (self.embedding is None) == (self.face_id is None):
            raise ValueError("send either embedding or face_id")
        return self


class SearchAnswer(DecisionBody):
    model: ModelBody
