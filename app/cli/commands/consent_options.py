"""Options by which a command records a consent of the people whom it enrolls."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from app.gallery.people.consent_records import ConsentBasis, NewConsent
from app.gallery.people.text_forms import MAX_NAME_LENGTH

Purpose = Annotated[
    str | None,
    typer.Option(
        "--consent",
        help="Record a consent of each person, for this purpose, unless they have a valid one.",
    ),
]
Basis = Annotated[ConsentBasis, typer.Option("--consent-basis", help="The legal basis.")]
TextVersion = Annotated[
    str | None,
    typer.Option("--consent-text", help="The version of the text that the people saw."),
]
Source = Annotated[
    str | None, typer.Option("--consent-source", help="Where the evidence is, in your own words.")
]
Until = Annotated[
    datetime | None,
    typer.Option(
        "--consent-until",
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"],
        help="When it ends, in UTC; people whose last consent ends are erased.",
    ),
]


def consent_of(
    purpose: str | None,
    basis: ConsentBasis,
    text_version: str | None,
    source: str | None,
    until: datetime | None,
) -> NewConsent | None:
    """Return the consent that the options describe; None without a purpose."""
    if purpose is None:
        if text_version or source or until:
            raise typer.BadParameter("give --consent PURPOSE with the other options of a consent")
        return None
    for text in (purpose, text_version or "x"):
        if not 0 < len(text) <= MAX_NAME_LENGTH:
            raise typer.BadParameter(f"{text!r} must have 1 to {MAX_NAME_LENGTH} characters")
    end = None if until is None else until.replace(tzinfo=UTC)
    if end is not None and end <= datetime.now(UTC):
        raise typer.BadParameter("--consent-until must lie in the future")
    return NewConsent(purpose, basis, text_version, source, until=end)
