"""Progress of work on the database, as bars on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import TaskID

from app.cli.output import progress_bar
from app.gallery.transfer.transfer_progress import Progress


@contextmanager
def progress_report() -> Iterator[Progress]:
    """Report to a bar for each thing that is done."""
    with progress_bar("{task.description}") as progress:
        tasks: dict[str, TaskID] = {}

        def report(doing: str, done: int, total: int) -> None:
            if doing not in tasks:
                tasks[doing] = progress.add_task(doing, total=total)
            progress.update(tasks[doing], completed=done)

        yield report
