"""Where commands print: results to standard output, everything else to standard error."""

import json

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from app.cli.remedies import TERMINAL
from app.errors import VultusError

results = Console()
errors = Console(stderr=True)


def progress_bar(text: str, *more: ProgressColumn, console: Console = errors) -> Progress:
    """What is done, how many of how many, how long it will take, and `more`."""
    return Progress(
        TextColumn(text),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        *more,
        console=console,
    )


def print_error(error: VultusError) -> None:
    """What went wrong on purpose, in one line."""
    errors.print(f"[bold red]{error.code}[/]: ", end="")
    errors.print(TERMINAL.detail(error), markup=False, highlight=False, soft_wrap=True)


def print_json(value: object) -> None:
    """One JSON document on standard output, for scripts."""
    print(json.dumps(value, ensure_ascii=False, default=str))  # noqa: T201
