"""The bases of all inputs and outputs, and the types of members that several of them have.

The names, bounds, patterns and enumerations are those of the service model of botocore 1.44.8.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_pascal

ID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"


class Input(BaseModel):
    """An input, or a part of one. Members that it does not have are ignored, as AWS does."""

    model_config = ConfigDict(
        alias_generator=to_pascal, extra="ignore", strict=True, allow_inf_nan=False
    )

    @model_validator(mode="before")
    @classmethod
    def _leave_out_nulls(cls, values: object) -> object:
        """Some clients send null for a member that is not set."""
        if isinstance(values, dict):
            return {name: value for name, value in values.items() if value is not None}
        return values


class Output(BaseModel):
    """An output, or a part of one. A member that is None is left out of the answer."""

    model_config = ConfigDict(alias_generator=to_pascal, populate_by_name=True)


CollectionId = Annotated[
    str, StringConstraints(pattern=r"^[a-zA-Z0-9_.\-]+$", min_length=1, max_length=255)
]
FaceId = Annotated[str, StringConstraints(pattern=ID)]
UserId = Annotated[
    str, StringConstraints(pattern=r"^[a-zA-Z0-9_.\-:]+$", min_length=1, max_length=128)
]
ExternalImageId = Annotated[
    str, StringConstraints(pattern=r"^[a-zA-Z0-9_.\-:]+$", min_length=1, max_length=255)
]
ClientRequestToken = Annotated[
    str, StringConstraints(pattern=r"^[a-zA-Z0-9\-_]+$", min_length=1, max_length=64)
]
NextToken = Annotated[str, StringConstraints(max_length=255)]
Percent = Annotated[float, Field(ge=0, le=100)]
QualityFilterName = Literal["NONE", "AUTO", "LOW", "MEDIUM", "HIGH"]
AttributeName = Literal[
    "DEFAULT",
    "ALL",
    "AGE_RANGE",
    "BEARD",
    "EMOTIONS",
    "EYE_DIRECTION",
    "EYEGLASSES",
    "EYES_OPEN",
    "GENDER",
    "MOUTH_OPEN",
    "MUSTACHE",
    "FACE_OCCLUDED",
    "SMILE",
    "SUNGLASSES",
]


def wire_id(record_id: str) -> str:
    """Return the id of a face or an image as clients read it: a UUID with hyphens.

    An id of another form, which an import may bring, stays as it is.
    """
    try:
        return str(UUID(record_id))
    except ValueError:
        return record_id


def record_id(wired: str) -> str:
    """Return the id of a face as the gallery keeps it, from one that has the pattern `ID`."""
    return wired.replace("-", "")
