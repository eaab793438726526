"""`vultus export` and `vultus import`. They load no network."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import RenderableType
from rich.table import Table

from app.cli.open_database import open_database
from app.cli.output import errors, finish, print_line, show
from app.cli.progress_report import progress_report
from app.cli.upkeep.archive_keys import ArchiveKeys, locks_to_open, locks_to_seal
from app.cli.upkeep.collections import require_collection_name
from app.errors import Unavailable
from app.gallery.journal.exports import note_export
from app.gallery.rollout.embedders_in_use import EmbeddersInUse, embedders_in_use
from app.gallery.store.database import Database
from app.gallery.transfer.archive_locks import ArchiveLock
from app.gallery.transfer.archive_manifest import CollectionEntry
from app.gallery.transfer.exporter import Exported, export_gallery
from app.gallery.transfer.importer import (
    CalibrationTaken,
    ChooseCalibration,
    Imported,
    import_gallery,
)
from app.recognition.types import ModelId
from app.settings import AUTO_EMBEDDER, Settings
from models.zoo.names import DEFAULT_NETWORK


def export(file: Path, collections: Sequence[str], keys: ArchiveKeys, *, as_json: bool) -> None:
    """Write the gallery into an archive."""
    with open_database(upgrade=False) as (_, database):
        locks = locks_to_seal(keys, database.vault)
        _note_export(database, collections)
        with progress_report() as report:
            done = export_gallery(database, file, names=collections, locks=locks, progress=report)
    sealed = "sealed" if locks else "in the clear"
    text = f"{file}: {done.size:,} bytes, {sealed}"
    show(_exported_as_json(file, done, locks), _exported_table(done), text, as_json=as_json)


def import_(
    file: Path,
    collections: Sequence[str],
    into: str | None,
    keys: ArchiveKeys,
    *,
    with_calibration: bool,
    as_json: bool,
) -> None:
    """Add the people of an archive; `with_calibration`: and its calibrations, which are checked."""
    if into is not None:
        require_collection_name(into, "--into")
    with open_database(upgrade=True) as (settings, database):
        had_faces = bool(_in_use(settings).answering)
        # Before the progress is shown, which would write over the question for a passphrase.
        locks = locks_to_open(keys, database.vault, file)
        with progress_report() as report:
            done = import_gallery(
                database,
                file,
                names=collections,
                into=into,
                locks=locks,
                choose_calibration=_checked(settings) if with_calibration else _left_out,
                progress=report,
            )
    answer = {"collections": [_imported_as_json(imported) for imported in done]}
    show(answer, *_imported_texts(done), as_json=as_json)
    for text in _warnings(settings, done, had_faces=had_faces):
        print_line(text, errors)
    finish(complete=not any(imported.skipped for imported in done))


def _left_out(_: CollectionEntry) -> None:
    return None


def _checked(settings: Settings) -> ChooseCalibration:
    # Imported here: without the option, no network has to be known.
    from app.operations.policy.archived_calibration import checked_calibration  # noqa: PLC0415
    from app.services.known_thresholds import known_map  # noqa: PLC0415

    def choose(entry: CollectionEntry) -> Mapping[str, object] | None:
        model = ModelId(entry.embedder, entry.digest, entry.dimension)
        return checked_calibration(entry, known_map(settings, model))

    return choose


def _note_export(database: Database, names: Sequence[str]) -> None:
    """Write a line of the audit log for each collection, unless nothing can be written now: a
    gallery on a full disk must still be exported."""
    try:
        note_export(database, names)
    except Unavailable as error:
        print_line(f"the audit log has no line about this export: {error}", errors)


def _exported_as_json(
    file: Path, done: Exported, locks: Sequence[ArchiveLock]
) -> dict[str, object]:
    return {
        "file": str(file),
        "size": done.size,
        "sealed_by": [lock.kind for lock in locks],
        "collections": [
            {"name": entry.name, "identities": entry.identities, "faces": entry.faces}
            for entry in done.collections
        ],
    }


def _exported_table(done: Exported) -> Table:
    table = Table("collection", "people", "faces")
    for entry in done.collections:
        table.add_row(entry.name, f"{entry.identities:,}", f"{entry.faces:,}")
    return table


def _imported_as_json(done: Imported) -> dict[str, object]:
    return {
        "name": done.entry.name,
        "into": done.into,
        "created": done.created,
        "identities": done.identities,
        "faces": done.faces,
        "known_before": done.known_before,
        "expired": done.expired,
        "calibration": str(done.calibration),
        "skipped": [asdict(skipped) for skipped in done.skipped],
    }


def _imported_texts(done: Sequence[Imported]) -> Iterator[RenderableType]:
    table = Table(
        "collection", "people added", "faces added", "people there before", "expired", "skipped"
    )
    for one in done:
        for skipped in one.skipped:
            yield f"not imported: {skipped.id}: {skipped.reason} ({skipped.detail})"
        if one.calibration is CalibrationTaken.LEFT_OUT:
            yield (
                f"{one.into}: the archive's calibration was left out; measure the people here, or "
                "take it over by --with-calibration into a new collection"
            )
        counts = one.identities, one.faces, one.known_before, one.expired, len(one.skipped)
        table.add_row(one.into, *(f"{count:,}" for count in counts))
    yield table


def _warnings(settings: Settings, done: Sequence[Imported], *, had_faces: bool) -> Iterator[str]:
    """Warn of collections that belong to another embedder than the one that serves."""
    by_auto = settings.embedder == AUTO_EMBEDDER
    serving = next(iter(_in_use(settings).answering), None) if by_auto else settings.embedder
    for imported in done:
        embedder = imported.entry.embedder
        belongs = f"{imported.into} belongs to the embedder {embedder}"
        if imported.faces and embedder != serving:
            yield (
                f"{belongs}, but VULTUS_EMBEDDER is {settings.embedder}: start the service with "
                f"VULTUS_EMBEDDER={embedder}"
            )
        elif imported.faces and by_auto and not had_faces and embedder != DEFAULT_NETWORK:
            yield (
                f"{belongs}, which VULTUS_EMBEDDER=auto keeps from now on: restart running services"
            )


def _in_use(settings: Settings) -> EmbeddersInUse:
    return embedders_in_use(settings.resolved_database_url, timeout_s=settings.database.timeout_s)
