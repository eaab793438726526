"""Print results to standard output, and everything else to standard error.

All output goes through `TextConsole` or `print_json`, which show control characters in names and
texts of others instead of sending them to the terminal.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, Protocol, runtime_checkable

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from app.cli.remedies import TERMINAL
from app.errors import VultusError
from app.observe.plain_text import plain, plain_json

_INCOMPLETE = 3


class TextConsole(Console):
    """A console that prints strings as they are: no markup, no emoji codes, no control characters.

    Styles are given as `rich.text.Text`.
    """

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  (those of rich's console)
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:  # noqa: ANN401
        """Make a text of a string, also in a cell of a table."""
        return super().render_str(plain(text), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Render anything; each string in it passes through here."""
        for segment in super().render(renderable, options):
            text = segment.text
            if segment.control or text == "\n" or (text.isascii() and text.isprintable()):
                yield segment
            else:
                shown = "\n".join(map(plain, text.split("\n")))
                yield Segment(shown, segment.style)


results = TextConsole()
errors = TextConsole(stderr=True)


@runtime_checkable
class _Schema(Protocol):
    """A pydantic model; printing a help text does not import pydantic."""

    def model_dump(self, *, mode: str) -> dict[str, object]: ...


def show(answer: object, *texts: RenderableType, as_json: bool) -> None:
    """Print an answer: as JSON (see `print_json`), or as texts for people."""
    if as_json:
        print_json(answer)
        return
    for text in texts:
        if isinstance(text, str | Text):
            print_line(text)
        else:
            results.print(text)


def print_line(line: str | Text, console: Console | None = None) -> None:
    """Print a line that is not wrapped, however wide the terminal is."""
    (console or results).print(line, soft_wrap=True)


def print_json(value: object) -> None:
    """Print one JSON document, of a pydantic model or of plain values, on standard output."""
    plain_value = value.model_dump(mode="json") if isinstance(value, _Schema) else value
    print(plain_json(plain_value))  # noqa: T201


def count_table(title: str, counts: Mapping[str, int | None]) -> Table:
    """Make a table of counts, without those that are None."""
    table = Table(title, "count")
    for name, count in counts.items():
        if count is not None:
            table.add_row(name, f"{count:,}")
    return table


def finish(*, complete: bool) -> NoReturn:
    """End the command: exit status 0, or 3 for a result that a script may want to act on."""
    raise typer.Exit(0 if complete else _INCOMPLETE)


def text_column(text: str) -> TextColumn:
    """Make a column of a progress bar, which formats `text` with the task."""
    return TextColumn(text, markup=False)


def progress_bar(text: str, *more: ProgressColumn, console: Console = errors) -> Progress:
    """Make a bar with the number of items that are done, their total, the time left, and `more`."""
    return Progress(
        text_column(text),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        *more,
        console=console,
    )


def print_error(error: VultusError) -> None:
    """Print the code, fact and remedy of an error in one line."""
    errors.print(Text(f"{error.code}: ", style="bold red"), end="")
    print_line(TERMINAL.detail(error), errors)
