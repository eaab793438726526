"""`vultus export` and `vultus import`. They load no network."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import (
    TaskID,
)
from rich.table import Table

from app.cli.open_database import open_database
from app.cli.output import errors, print_json, progress_bar, results
from app.gallery.rollout.embedders_in_use import EmbeddersInUse, embedders_in_use
from app.gallery.transfer.exporter import Exported, export_gallery
from app.gallery.transfer.importer import Imported, import_gallery
from app.gallery.transfer.transfer_progress import Progress as Tell
from app.gallery.value_types import COLLECTION_NAME
from app.settings import AUTO_EMBEDDER, Settings
from models.zoo.names import DEFAULT_NETWORK

_SKIPPED_SOME = 3

AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]


def export(*, file: Path, collection: list[str] | None, as_json: bool) -> None:
    """Write the gallery into an archive, as it is at this moment."""
    with open_database(upgrade=False) as (_, database), _progress() as tell:
        done = export_gallery(database, file, names=collection or (), progress=tell)
    if as_json:
        print_json(_exported_as_json(file, done))
    else:
        _print_exported(file, done)


def import_(*, file: Path, collection: list[str] | None, into: str | None, as_json: bool) -> None:
    """Add the people of an archive. Exit status 0: all are there, 3: some were skipped."""
    if into is not None and re.fullmatch(COLLECTION_NAME, into) is None:
        raise typer.BadParameter("--into: letters, digits, '.', '_' and '-'; at most 64")
    with open_database(upgrade=True) as (settings, database), _progress() as tell:
        had_faces = bool(_in_use(settings).answering)
        done = import_gallery(database, file, names=collection or (), into=into, progress=tell)
    if as_json:
        print_json({"collections": [_imported_as_json(imported) for imported in done]})
    else:
        _print_imported(done)
    _warn_of_other_networks(settings, done, had_faces=had_faces)
    raise typer.Exit(_SKIPPED_SOME if any(imported.skipped for imported in done) else 0)


@contextmanager
def _progress() -> Iterator[Tell]:
    with progress_bar("{task.description}") as progress:
        tasks: dict[str, TaskID] = {}

        def tell(doing: str, done: int, total: int) -> None:
            if doing not in tasks:
                tasks[doing] = progress.add_task(doing, total=total)
            progress.update(tasks[doing], completed=done)

        yield tell


def _exported_as_json(file: Path, done: Exported) -> dict[str, object]:
    return {
        "file": str(file),
        "size": done.size,
        "collections": [
            {"name": entry.name, "identities": entry.identities, "faces": entry.faces}
            for entry in done.collections
        ],
    }


def _print_exported(file: Path, done: Exported) -> None:
    table = Table("collection", "people", "faces")
    for entry in done.collections:
        table.add_row(entry.name, f"{entry.identities:,}", f"{entry.faces:,}")
    results.print(table)
    results.print(f"{file}: {done.size:,} bytes", soft_wrap=True)


def _imported_as_json(done: Imported) -> dict[str, object]:
    return {
        "name": done.entry.name,
        "into": done.into,
        "created": done.created,
        "identities": done.identities,
        "faces": done.faces,
        "known_before": done.known_before,
        "expired": done.expired,
        "skipped": [asdict(skipped) for skipped in done.skipped],
    }


def _print_imported(done: Sequence[Imported]) -> None:
    for imported in done:
        for skipped in imported.skipped:
            results.print(
                f"not imported: {skipped.id}: {skipped.reason} ({skipped.detail})",
                soft_wrap=True,
            )
    table = Table(
        "collection", "people added", "faces added", "people there before", "expired", "skipped"
    )
    for imported in done:
        counts = (
            imported.identities,
            imported.faces,
            imported.known_before,
            imported.expired,
            len(imported.skipped),
        )
        table.add_row(imported.into, *(f"{count:,}" for count in counts))
    results.print(table)


def _warn_of_other_networks(
    settings: Settings, done: Sequence[Imported], *, had_faces: bool
) -> None:
    by_auto = settings.embedder == AUTO_EMBEDDER
    serving = next(iter(_in_use(settings).answering), None) if by_auto else settings.embedder
    for imported in done:
        embedder = imported.entry.embedder
        if imported.faces and embedder != serving:
            errors.print(
                f"{imported.into} belongs to the embedder {embedder}, but VULTUS_EMBEDDER is "
                f"{settings.embedder}: start the service with VULTUS_EMBEDDER={embedder}",
                soft_wrap=True,
            )
        elif imported.faces and by_auto and not had_faces and embedder != DEFAULT_NETWORK:
            errors.print(
                f"{imported.into} belongs to the embedder {embedder}, which VULTUS_EMBEDDER=auto "
                "keeps from now on: start services that run already anew",
                soft_wrap=True,
            )


def _in_use(settings: Settings) -> EmbeddersInUse:
    return embedders_in_use(settings.resolved_database_url, timeout_s=settings.database.timeout_s)
