"""The tables of `vultus evaluate`."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from models.evaluation.report import report_text as text
from models.evaluation.report.compare_reports import Comparison
from models.evaluation.report.report_document import Report


def evaluation_tables(report: Report, comparison: Comparison | None) -> Iterator[RenderableType]:
    """Make a table for each protocol, and one of the differences from an earlier run."""
    for section in report.sections:
        table = Table("figure", "value", "95 % interval", title=section.title, title_justify="left")
        for figure in section.figures:
            table.add_row(figure.title, text.value(figure), text.ends(figure))
        if section.figures:
            yield table
        for note in section.notes:
            yield Text(note, style="dim")
    if comparison is None:
        return
    table = Table("figure", "now", "then", "difference", "95 % interval", title="Compared")
    for one in comparison.differences:
        if one.kind != "count" or one.difference:
            style = "bold" if one.certain else None
            now, then = text.now_and_then(one)
            change, ends = text.change(one), text.change_ends(one)
            table.add_row(one.title, now, then, change, ends, style=style)
    yield table
    if comparison.unpaired:
        yield Text(f"No intervals: {comparison.unpaired}.", style="dim")
