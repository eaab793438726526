"""Filters of people: conditions on attributes, and lists of people."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StrictStr,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from app.api.schemas.parts.field_types import (
    IdentityRef,
    Schema,
    check_json,
    parse_json_text,
)
from app.gallery.people.attribute_texts import MAX_KEY_LENGTH, MAX_TEXT_LENGTH, encode
from app.gallery.records import Condition, PeopleFilter, Scalar
from app.gallery.value_types import no_nul


def _check_value(value: object) -> object:
    """Raise one error for a wrong value, and not one for each type that it does not have."""
    if not isinstance(value, str | int | float):
        raise ValueError("must be a text, a number, true or false")  # noqa: TRY004
    check_json(value)
    if encode(value) is None:
        raise ValueError(f"must have at most {MAX_TEXT_LENGTH} characters")
    return value


def _plain_is_equals(value: object) -> object:
    return value if isinstance(value, dict) else {"equals": value}


_MAX_CONDITIONS = 16

_Text = Annotated[
    StrictStr,
    StringConstraints(min_length=1, max_length=MAX_TEXT_LENGTH),
    AfterValidator(no_nul),
]
_Key = Annotated[str, StringConstraints(max_length=MAX_KEY_LENGTH), AfterValidator(no_nul)]
_Value = Annotated[Scalar, PlainValidator(_check_value, json_schema_input_type=Scalar)]


def _require_few_conditions(value: object) -> object:
    if isinstance(value, dict) and len(value) > _MAX_CONDITIONS:
        raise ValueError(f"must have at most {_MAX_CONDITIONS} items")
    return value


class ConditionBody(Schema):
    """All given conditions must hold; a plain value instead means `equals`."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"suffix": "4711"}]})

    equals: _Value | None = None
    in_: Annotated[list[_Value], Field(fail_fast=True)] | None = Field(
        None, alias="in", min_length=1, max_length=1_000, description="One of these."
    )
    prefix: _Text | None = Field(None, description="The beginning of a text.")
    suffix: _Text | None = Field(None, description="The end of a text.")

    @model_validator(mode="after")
    def _says_something(self) -> "ConditionBody":
        if self.equals is not None and self.in_ is not None:
            raise ValueError("send either equals or in")
        if {self.equals, self.prefix, self.suffix} == {None} and self.in_ is None:
            raise ValueError("send equals, in, prefix or suffix")
        return self

    def condition(self, key: str) -> Condition:
        one_of = (self.equals,) if self.equals is not None else self.in_
        return Condition(key, None if one_of is None else tuple(one_of), self.prefix, self.suffix)


_ValueOrCondition = Annotated[
    ConditionBody,
    BeforeValidator(_plain_is_equals, json_schema_input_type=Scalar | ConditionBody),
]


Conditions = Annotated[
    dict[_Key, _ValueOrCondition],
    BeforeValidator(_require_few_conditions),
    Field(max_length=_MAX_CONDITIONS),
]
"""Conditions on attributes, by name."""

BY_NAME = (
    "By name of the attribute, its value or a condition on it. Texts are compared exactly. Values "
    f"that are lists or objects, and texts over {MAX_TEXT_LENGTH} characters, are not found."
)


class Anonymous(StrEnum):
    """Whether anonymous people are among those wanted."""

    INCLUDE = "include"
    EXCLUDE = "exclude"
    ONLY = "only"

    @property
    def wanted(self) -> bool | None:
        """The same for filters of the gallery."""
        return None if self is Anonymous.INCLUDE else self is Anonymous.ONLY


class FilterBody(Schema):
    """People for whom all conditions hold; an empty filter finds all people."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"attributes": {"site": "berlin", "phone": {"suffix": "4711"}}}]
        }
    )

    attributes: Conditions = Field(default_factory=dict, description=BY_NAME)
    identity_ids: Annotated[list[IdentityRef], Field(fail_fast=True)] | None = Field(
        None, max_length=10_000
    )
    anonymous: Anonymous = Field(
        Anonymous.INCLUDE, description="Anonymous people: as all others, left out, or alone."
    )

    def people(self) -> PeopleFilter:
        return PeopleFilter(
            conditions=conditions_of(self.attributes),
            identity_ids=None if self.identity_ids is None else tuple(self.identity_ids),
            anonymous=self.anonymous.wanted,
        )


def conditions_of(sent: Mapping[str, ConditionBody]) -> tuple[Condition, ...]:
    return tuple(wanted.condition(key) for key, wanted in sent.items())


ConditionsText = Annotated[
    Conditions,
    BeforeValidator(parse_json_text),
    WithJsonSchema({"type": "string", "contentMediaType": "application/json"}),
]
"""Conditions as a query parameter carries them."""
FilterObject = Annotated[FilterBody, BeforeValidator(parse_json_text)]
TerminalId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
