"""`vultus enroll-batch`."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import typer
from rich.console import RenderableType
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn

from app.api.bodies.batch_lines import enroll_lines
from app.api.schemas.identities_batch import BatchResultBody
from app.cli.output import count_table, errors, finish, print_json, results, show, text_column
from app.cli.remedies import TERMINAL
from app.cli.session import with_services
from app.operations.enroll.batch_enroller import ItemStatus
from app.operations.enroll.enroll_options import EnrollOptions
from app.services import Services

_CHUNK_BYTES = 1_000_000


@dataclass(slots=True)
class Summary:
    """What a run did. `failed` are the lines of which the person or a photo was not enrolled."""

    outcomes: Counter[ItemStatus] = field(default_factory=Counter)
    faces: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    failed: list[BatchResultBody] = field(default_factory=list)

    def add(self, result: BatchResultBody, *, keep_failed: bool) -> None:
        """Count a line. Without `keep_failed`, memory stays flat."""
        self.outcomes[result.status] += 1
        self.faces += result.face_count
        if result.code is not None:
            self.reasons[result.code] += 1
        if keep_failed and (result.code is not None or result.rejected):
            self.failed.append(result)


def enroll_batch(
    file: typer.FileBinaryRead, collection: str, defaults: EnrollOptions, *, as_json: bool
) -> None:
    """Enroll many people, a line each."""

    async def use(services: Services) -> Summary:
        await asyncio.to_thread(services.gallery.collections.require, collection)
        summary = Summary()
        with _progress(as_json=as_json) as progress:
            task = progress.add_task("", total=_size(file), lines=0)
            async for piece in enroll_lines(
                services.enroll_batch,
                collection,
                _chunks(file, progress, task),
                max_line_bytes=services.settings.limits.max_request_bytes,
                defaults=defaults,
                remedies=TERMINAL,
            ):
                for result in piece:
                    summary.add(result, keep_failed=not as_json)
                    if as_json:
                        print_json(result)
                progress.update(task, lines=summary.outcomes.total())
        return summary

    summary = with_services(use)
    if not as_json:
        show(None, *_texts(summary), as_json=False)
    finish(complete=not summary.outcomes[ItemStatus.REJECTED])


def _size(file: typer.FileBinaryRead) -> int | None:
    """Return the size in bytes, None where it is not known before the end, as of a pipe."""
    try:
        return os.fstat(file.fileno()).st_size or None
    except OSError:
        return None


async def _chunks(
    file: typer.FileBinaryRead, progress: Progress, task: TaskID
) -> AsyncIterator[bytes]:
    """Yield bytes as soon as they can be read: a pipe may be written slowly."""
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
        # Results must reach standard output; on a terminal, they show the progress as well.
        redirect_stdout=False,
        disable=as_json and results.is_terminal,
    )


def _texts(summary: Summary) -> Iterator[RenderableType]:
    for result in summary.failed:
        yield from _failure_texts(result)
    counts = {
        "people enrolled": summary.outcomes[ItemStatus.ENROLLED],
        "faces enrolled": summary.faces,
        "people enrolled before": summary.outcomes[ItemStatus.EXISTS],
        **{f"rejected: {reason}": count for reason, count in summary.reasons.most_common()},
    }
    yield count_table("outcome", counts)


def _failure_texts(result: BatchResultBody) -> Iterator[str]:
    name = f" ({result.external_id})" if result.external_id else ""
    line = f"line {result.index + 1}{name}"
    if result.code is not None:
        yield f"not enrolled: {line}: {result.code} ({result.detail})"
    for image in result.rejected:
        what = (
            f"embedding {image.embedding_index}"
            if image.image_index is None
            else f"photo {image.image_index}"
        )
        yield f"  {line}: {what}: {', '.join(image.reasons)} ({image.detail})"
