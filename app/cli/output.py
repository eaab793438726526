"""Where commands print: results to standard output, everything else to standard error.

Everything that is printed goes through `TextConsole` or `print_json`, so that names and texts of
others are text and nothing else.
"""

from collections.abc import Iterable
from typing import Any

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
from rich.text import Text

from app.cli.remedies import TERMINAL
from app.errors import VultusError
from app.observe.plain_text import plain, plain_json


class TextConsole(Console):
    """A console that takes strings for text: no markup, no emoji codes, no control characters.

    Styles are given as `rich.text.Text`.
    """

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  (those of rich's console)
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:  # noqa: ANN401
        """A string as text, also in a cell of a table."""
        return super().render_str(plain(text), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """All other renderables: what strings they have come by here."""
        for segment in super().render(renderable, options):
            text = segment.text
            if segment.control or text == "\n" or (text.isascii() and text.isprintable()):
                yield segment
            else:
                shown = "\n".join(map(plain, text.split("\n")))
                yield Segment(shown, segment.style)


results = TextConsole()
errors = TextConsole(stderr=True)


def say(line: str, console: Console | None = None) -> None:
    """Print a line that is not wrapped, however wide the terminal is."""
    (console or results).print(line, soft_wrap=True)


def text_column(text: str) -> TextColumn:
    """A column of a progress bar, which formats `text` with the task."""
    return TextColumn(text, markup=False)


def progress_bar(text: str, *more: ProgressColumn, console: Console = errors) -> Progress:
    """What is done, how many of how many, how long it will take, and `more`."""
    return Progress(
        text_column(text),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        *more,
        console=console,
    )


def print_error(error: VultusError) -> None:
    """What went wrong on purpose, in one line."""
    errors.print(Text(f"{error.code}: ", style="bold red"), end="")
    errors.print(TERMINAL.detail(error), soft_wrap=True)


def print_json(value: object) -> None:
    """One JSON document on standard output, for scripts."""
    print(plain_json(value))  # noqa: T201
