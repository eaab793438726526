"""Options of a collection, which override the service's settings."""

from dataclasses import asdict
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field

from app.api.schemas.parts.field_types import ErrorRate, Schema, Threshold, parse_json_text
from app.gallery.collection_options import CollectionOptions, OptionsPatch
from app.gallery.value_types import LongestRetentionSeconds, Margin, RetentionSeconds


class _Group(Schema):
    """A group of options. It is always JSON, so true and the number 1 are never mixed up."""

    model_config = ConfigDict(strict=True)


class DecisionOptionsBody(_Group):
    """Defaults of verify and identify; null leaves one to the service."""

    target_fmr: ErrorRate | None = Field(
        None, description="False match rate of verify.", examples=[1e-4]
    )
    target_fpir: ErrorRate | None = Field(
        None, description="False positive identification rate of identify.", examples=[0.01]
    )
    verify_threshold: Threshold | None = Field(None, description="Wins over target_fmr.")
    identify_threshold: Threshold | None = Field(None, description="Wins over target_fpir.")
    margin: Margin | None = Field(
        None,
        description="Two people who both match and whose similarities differ by less than this "
        "are ambiguous. Without it, the embedder's calibration decides: about a third of what a "
        "tenth of the FMR takes.",
    )


class UnknownOptionsBody(_Group):
    """Options for faces that are answered `unknown`."""

    keep: bool | None = Field(None, description="Keep their embeddings in the inbox; never photos.")
    retention_s: RetentionSeconds | None = Field(None, description="For how many seconds.")
    crops: bool | None = Field(
        None,
        description="Keep an encrypted crop with each face that is kept from now on; needs "
        "VULTUS_CROPS_KEY. false erases the crops of all unknown faces.",
    )


class CropOptionsBody(_Group):
    """Options for encrypted crops of enrolled faces, from which other networks can embed them."""

    keep: bool | None = Field(
        None,
        description="Keep those of faces that are enrolled from now on; needs VULTUS_CROPS_KEY. "
        "false erases them.",
    )


class AuditOptionsBody(_Group):
    """Options of the audit log."""

    reads: bool | None = Field(
        None,
        description="Write lines about reads of people, too: identifications, lists, persons. "
        "Changes and readings of crops always have lines.",
    )


class PeopleOptionsBody(_Group):
    """What is demanded of people who are enrolled from now on."""

    require_consent: bool | None = Field(
        None,
        description="Enroll nobody, and no face, without a valid consent. People without one who "
        "are there already stay; `consent=missing` lists them.",
    )
    longest_retention_s: LongestRetentionSeconds | None = Field(
        None,
        description="For how many seconds people are kept at most. Who is enrolled without "
        "`expires_at` gets the latest possible one; a later one is refused.",
    )


class OptionsBody(_Group):
    decisions: DecisionOptionsBody = Field(default_factory=DecisionOptionsBody)
    unknowns: UnknownOptionsBody = Field(default_factory=UnknownOptionsBody)
    crops: CropOptionsBody = Field(default_factory=CropOptionsBody)
    audit: AuditOptionsBody = Field(default_factory=AuditOptionsBody)
    people: PeopleOptionsBody = Field(default_factory=PeopleOptionsBody)

    def patch(self) -> OptionsPatch:
        """Return the options that were sent; those that were left out stay as they are."""
        sent: OptionsPatch = self.model_dump(exclude_unset=True)
        return sent


def as_body(options: object) -> object:
    """The options of a record, as the body reads them; anything else stays."""
    return asdict(options) if isinstance(options, CollectionOptions) else options


OptionsObject = Annotated[OptionsBody, BeforeValidator(parse_json_text)]
