"""The base of all answers."""

from typing import Self

from pydantic import AliasChoices, AliasGenerator, AliasPath, BaseModel, ConfigDict

from app.api.remedies import HTTP
from app.remedies import Remedies


class Answer(BaseModel):
    """An answer, or a part of one. Its fields are read from the attributes of a record.

    A field whose attribute has another name than itself has a `validation_alias`. In JSON each
    field has its own name.
    """

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)

    @classmethod
    def of(cls, record: object, remedies: Remedies = HTTP, **facts: object) -> Self:
        """Make the answer from a record, and from `facts` that are no attributes of it.

        Texts about rejected images name the remedies of the reader.
        """
        source = _RecordWithFacts(record, facts) if facts else record
        return cls.model_validate(source, context=remedies)


class _RecordWithFacts:
    """A record with further attributes, which come before its own."""

    def __init__(self, record: object, facts: dict[str, object]) -> None:
        self.__dict__.update(facts)
        self._record = record

    def __getattr__(self, name: str) -> object:
        value: object = getattr(self._record, name)
        return value


def attribute(*names: str, part: str) -> AliasChoices:
    """A field that is read from the first of these attributes, of the record or of its `part`."""
    return AliasChoices(*names, *(AliasPath(part, name) for name in names))


def attributes_of(*parts: str) -> AliasGenerator:
    """Fields that are read from the record, or from the first of its parts that has them."""
    return AliasGenerator(
        validation_alias=lambda name: AliasChoices(name, *(AliasPath(part, name) for part in parts))
    )
