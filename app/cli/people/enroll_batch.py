"""`vultus enroll-batch`."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import typer
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn
from rich.table import Table

from app.api.bodies.batch_lines import enroll_lines
from app.api.schemas.identities_batch import BatchResultBody
from app.cli.output import errors, print_json, results, text_column
from app.cli.remedies import TERMINAL
from app.cli.session import with_services
from app.operations.enroll.batch_enroller import ItemStatus
from app.operations.enroll.enroll_options import EnrollOptions
from app.services import Services

_CHUNK_BYTES = 1_000_000
_REJECTED_SOME = 3


@dataclass(slots=True)
class Summary:
    """What a run did. `told` has the lines whose person or photos were not enrolled."""

    outcomes: Counter[ItemStatus] = field(default_factory=Counter)
    faces: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    told: list[BatchResultBody] = field(default_factory=list)

    def count(self, result: BatchResultBody) -> None:
        self.outcomes[result.status] += 1
        self.faces += result.face_count
        if result.code is not None:
            self.reasons[result.code] += 1


def enroll_batch(
    *, file: typer.FileBinaryRead, collection: str, defaults: EnrollOptions, as_json: bool
) -> None:
    """Enroll many people, a line each. Exit status 0: all are there, 3: some were rejected."""

    async def use(services: Services) -> Summary:
        await asyncio.to_thread(services.gallery.require_collection, collection)
        summary = Summary()
        most = services.settings.limits.max_request_bytes
        with _progress(as_json=as_json) as progress:
            task = progress.add_task("", total=_size(file), lines=0)
            chunks = _chunks(file, progress, task)
            async for piece in enroll_lines(
                services.enroll_batch,
                collection,
                chunks,
                max_line_bytes=most,
                defaults=defaults,
                remedies=TERMINAL,
            ):
                for result in piece:
                    summary.count(result)
                    if as_json:
                        print_json(result.model_dump(mode="json"))
                    elif result.code is not None or result.rejected:
                        summary.told.append(result)
                progress.update(task, lines=summary.outcomes.total())
        return summary

    summary = with_services(use)
    if not as_json:
        _print(summary)
    raise typer.Exit(_REJECTED_SOME if summary.outcomes[ItemStatus.REJECTED] else 0)


def _size(file: typer.FileBinaryRead) -> int | None:
    """In bytes, None where it is not known before the end, as of a pipe."""
    try:
        return os.fstat(file.fileno()).st_size or None
    except OSError:
        return None


async def _chunks(
    file: typer.FileBinaryRead, progress: Progress, task: TaskID
) -> AsyncIterator[bytes]:
    """What is there, as soon as it is there: a pipe may be written slowly."""
    while chunk := await asyncio.to_thread(file.read1, _CHUNK_BYTES):
        yield chunk
        progress.advance(task, len(chunk))


def _progress(*, as_json: bool) -> Progress:
    return Progress(
        text_column("enrolling"),
        BarColumn(),
        TaskProgressColumn(),
        text_column("{task.fields[lines]:,} lines"),
        console=errors,
        # Results must reach standard output, and on a terminal they are progress enough.
        redirect_stdout=False,
        disable=as_json and results.is_terminal,
    )


def _print(summary: Summary) -> None:
    for result in summary.told:
        who = f"line {result.index + 1}" + (
            f" ({result.external_id})" if result.external_id else ""
        )
        if result.code is not None:
            _tell(f"not enrolled: {who}: {result.code} ({result.detail})")
        for image in result.rejected:
            reasons = ", ".join(image.reasons)
            what = (
                f"embedding {image.embedding_index}"
                if image.image_index is None
                else f"photo {image.image_index}"
            )
            _tell(f"  {who}: {what}: {reasons} ({image.detail})")
    table = Table("outcome", "count")
    table.add_row("people enrolled", f"{summary.outcomes[ItemStatus.ENROLLED]:,}")
    table.add_row("faces enrolled", f"{summary.faces:,}")
    table.add_row("people enrolled before", f"{summary.outcomes[ItemStatus.EXISTS]:,}")
    for reason, count in summary.reasons.most_common():
        table.add_row(f"rejected: {reason}", f"{count:,}")
    results.print(table)


def _tell(line: str) -> None:
    results.print(line, soft_wrap=True)
