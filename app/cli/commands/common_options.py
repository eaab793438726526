"""Options that commands of several files share."""

from typing import Annotated

import typer

from app.datasets.subject_rule import SubjectRule

Subject = Annotated[
    SubjectRule | None,
    typer.Option(help="Whom a photo of several faces shows (LFW: central; else: single)."),
]
