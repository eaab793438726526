"""The image of an input."""

from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from app.api.bodies.base64_text import decode_base64
from app.compat.rekognition.faults import InvalidS3Object
from app.compat.rekognition.schemas.base import Input


def _decoded(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("must be a text in base64")  # noqa: TRY004  (pydantic's own)
    try:
        return decode_base64(value)
    except ValueError as error:
        raise ValueError(f"must be an image in base64, but {error}") from error


ImageBlob = Annotated[bytes, BeforeValidator(_decoded), Field(min_length=1)]
"""How large it may be is a setting of the service (AWS: 5 MiB), which the decoder checks."""


S3Bucket = Annotated[
    str, StringConstraints(pattern=r"^[0-9A-Za-z.\-_]*$", min_length=3, max_length=255)
]
S3Text = Annotated[str, StringConstraints(min_length=1, max_length=1_024)]


class S3Object(Input):
    """A file in a bucket of AWS, which this service cannot read."""

    bucket: S3Bucket | None = None
    name: S3Text | None = None
    version: S3Text | None = None


class Image(Input):
    """One photo, as bytes."""

    blob: ImageBlob | None = Field(None, alias="Bytes")
    s3_object: S3Object | None = Field(None, alias="S3Object")

    @model_validator(mode="after")
    def _require_one(self) -> "Image":
        if (self.blob is None) == (self.s3_object is None):
            raise ValueError("must have either Bytes or S3Object")
        return self

    @property
    def file(self) -> bytes:
        """The photo file. Raises InvalidS3Object."""
        if self.blob is None:
            raise InvalidS3Object
        return self.blob
