"""Inputs and outputs of the operations on collections."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from app.compat.rekognition.schemas.base import CollectionId, Input, NextToken, Output

_TAG_CHARACTERS = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*"


def _not_of_aws(key: str) -> str:
    if key.startswith("aws:"):
        raise ValueError("must not begin with aws:")
    return key


def _in_urls(name: str) -> str:
    if name in (".", ".."):
        raise ValueError("must be neither . nor .., which clients take out of URLs")
    return name


TagKey = Annotated[
    str,
    StringConstraints(pattern=rf"^{_TAG_CHARACTERS}$", min_length=1, max_length=128),
    AfterValidator(_not_of_aws),
]
TagValue = Annotated[str, StringConstraints(pattern=rf"^{_TAG_CHARACTERS}$", max_length=256)]
PageSize = Annotated[int, Field(ge=0, le=4_096)]


class CreateCollectionInput(Input):
    collection_id: Annotated[CollectionId, AfterValidator(_in_urls)]
    tags: Annotated[dict[TagKey, TagValue], Field(max_length=200)] | None = None
    """Accepted, so that programs run as they are, and not kept."""


class CreateCollectionOutput(Output):
    status_code: int = 200
    collection_arn: str
    face_model_version: str


class DeleteCollectionInput(Input):
    collection_id: CollectionId


class DeleteCollectionOutput(Output):
    status_code: int = 200


class DescribeCollectionInput(Input):
    collection_id: CollectionId


class DescribeCollectionOutput(Output):
    face_count: int
    user_count: int
    face_model_version: str
    collection_arn: str = Field(alias="CollectionARN")
    creation_timestamp: float
    """Seconds since 1970."""


class ListCollectionsInput(Input):
    max_results: PageSize | None = None
    next_token: NextToken | None = None


class ListCollectionsOutput(Output):
    collection_ids: list[str]
    face_model_versions: list[str]
    """As long as `collection_ids`, and in the same order."""
    next_token: str | None = None
