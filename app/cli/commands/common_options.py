"""Options that several commands share."""

from contextlib import suppress
from typing import Annotated

import typer

from app.datasets.photo_source import SubjectRule

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Summary = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]
Receipt = Annotated[bool, typer.Option("--json", help="Print the receipt as JSON.")]
Report = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]
Subject = Annotated[
    SubjectRule | None,
    typer.Option(
        help="The person whom a photo of several faces shows (LFW: central; otherwise: single)."
    ),
]


def rate(text: str) -> float:
    """Parse an error rate, which lies between 0 and 1."""
    with suppress(ValueError):
        if 0 < (value := float(text)) < 1:
            return value
    raise typer.BadParameter(f"{text} is no number between 0 and 1 (both exclusive)")
