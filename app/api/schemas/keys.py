"""API keys."""

from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.field_types import CollectionName, FutureMoment, Schema, ShortText
from app.api.schemas.parts.pages import NextCursor
from app.gallery.keys.key_records import ApiKey, KeyState, NewKey
from app.gallery.keys.rights import Right, Role, rights_and_role

_DAY_S = 86_400.0
_MOST_COLLECTIONS = 100


class NewKeyBody(Schema):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "front door", "role": "operator", "collections": ["staff"]}]
        }
    )

    name: ShortText = Field(description="Who or what holds the key.")
    role: Role = Field(
        Role.CUSTOM, description="A set of rights; custom has none but those of `rights`."
    )
    rights: Annotated[list[Right], Field(fail_fast=True)] = Field(
        default_factory=list, max_length=len(Right), description="Rights beside those of the role."
    )
    collections: (
        Annotated[
            list[CollectionName],
            Field(fail_fast=True, min_length=1, max_length=_MOST_COLLECTIONS),
        ]
        | None
    ) = Field(
        None,
        description="The collections where the key may act; others do not exist for it. null: all.",
    )
    expires_at: FutureMoment | None = Field(
        None, description="From then on the key is refused; null: never."
    )

    requests_per_min: float | None = Field(
        None,
        gt=0,
        le=60_000_000,
        allow_inf_nan=False,
        description="Requests a minute that it may send on average, a tenth of them at once, in "
        "place of the limit of the settings; null: that limit.",
    )
    aws: bool = Field(
        False, description="Whether it has a pair, too, that signs requests as AWS's SDKs do."
    )

    @model_validator(mode="after")
    def _require_a_right(self) -> Self:
        if self.role is Role.CUSTOM and not self.rights:
            raise ValueError("send a role, or rights")
        return self

    def new_key(self) -> NewKey:
        rights, role = rights_and_role(self.role, tuple(self.rights))
        return NewKey(
            self.name,
            role,
            rights,
            None if self.collections is None else tuple(dict.fromkeys(self.collections)),
            self.expires_at,
            self.requests_per_min,
            with_pair=self.aws,
        )


class RotateKeyBody(Schema):
    model_config = ConfigDict(json_schema_extra={"examples": [{"overlap_s": 3600}]})

    overlap_s: float = Field(
        _DAY_S,
        ge=0,
        le=366 * _DAY_S,
        description="Seconds for which the former key still works.",
    )
    expires_at: FutureMoment | None = Field(
        None,
        description="When the new key expires; null: after as long a time as the former one had.",
    )


class KeyBody(Answer):
    """An API key. Its text is shown once, when it is made."""

    id: str = Field(description="Names the key in logs; no secret.", examples=["0d3c9f4e6f0b"])
    name: str
    prefix: str = Field(description="How the text begins.", examples=["vk_0d3c9f4e6f0b"])
    role: Role
    rights: list[Right]
    collections: list[str] | None = Field(description="Where it may act; null: everywhere.")
    state: KeyState
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="Up to a minute late.")
    revoked_at: datetime | None
    successor_id: str | None = Field(description="The key that replaces it.")
    requests_per_min: float | None = Field(
        description="Requests a minute that it may send; null: the limit of the settings."
    )
    aws_access_key_id: str | None = Field(
        description="Of its pair for AWS's SDKs; null: it has none."
    )

    @classmethod
    def now(cls, key: ApiKey) -> Self:
        """Make the answer of a key in its state at this moment."""
        return cls.of(key, state=key.state(datetime.now(UTC)))


def _as_body(key: object) -> object:
    return KeyBody.now(key) if isinstance(key, ApiKey) else key


class AwsPairBody(Answer):
    """A pair for AWS's SDKs. The secret is shown this once."""

    access_key_id: str = Field(examples=["AKIAQ5ZL7XW2KBDJ4M6T"])
    secret_access_key: str = Field(examples=["wJalrXUtnFEMI..."])


class IssuedKeyBody(Answer):
    """A new key, and its text."""

    key: Annotated[KeyBody, BeforeValidator(_as_body)]
    text: str = Field(
        description="Send it as `x-api-key`. It is shown this once, and cannot be read again.",
        examples=["vk_0d3c9f4e6f0b_Hk2..."],
    )
    aws: AwsPairBody | None = Field(None, validation_alias="pair", description="Its pair, if any.")


class KeyPage(Answer):
    keys: list[KeyBody]
    next_cursor: NextCursor
