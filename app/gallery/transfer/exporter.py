"""Write collections of a database into an archive."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from app import __version__
from app.errors import NotExportable
from app.gallery.collection_options import CollectionOptions
from app.gallery.store.database import Database
from app.gallery.store.gallery_store import Store
from app.gallery.transfer.archive_faults import first_problem
from app.gallery.transfer.archive_lines import FaceLine, Line, PersonLine
from app.gallery.transfer.archive_locks import ArchiveLock
from app.gallery.transfer.archive_manifest import (
    VERSION,
    ArchivedUnknownOptions,
    CollectionEntry,
    Manifest,
    Member,
    Options,
    member_names,
)
from app.gallery.transfer.archive_writer import ArchiveWriter, new_archive
from app.gallery.transfer.export_source import CollectionSource, chosen_collections
from app.gallery.transfer.npy_header import header
from app.gallery.transfer.transfer_progress import Progress, Steps, silent
from app.gallery.transfer.unit_length import first_not_of_unit_length


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written; `size` is that of the file, in bytes."""

    size: int
    collections: tuple[CollectionEntry, ...]


def export_gallery(
    database: Database,
    path: Path,
    *,
    names: Sequence[str] = (),
    locks: Sequence[ArchiveLock] = (),
    progress: Progress = silent,
) -> Exported:
    """Write these collections, or all, as they are at one moment, whatever is written meanwhile.

    The archive is sealed by each of the `locks`; without any, it is in the clear.

    The file is there when all of it is. Raises CollectionNotFound; and NotExportable when it
    cannot be written, or the database holds what no import would accept.
    """
    with Store(database).reading_all() as collections:
        sources = [
            CollectionSource(collections.within(collection), place)
            for place, collection in enumerate(chosen_collections(collections, names))
        ]
        rows = sum(source.identities + 2 * source.faces for source in sources)
        steps = Steps(progress, "exporting", rows)
        with new_archive(path, locks) as archive:
            entries = tuple(_write(archive, source, steps) for source in sources)
            archive.finish(
                Manifest(
                    format="vultus-gallery",
                    format_version=VERSION,
                    vultus_version=__version__,
                    created_at=datetime.now(UTC),
                    collections=entries,
                )
            )
    return Exported(path.stat().st_size, entries)


def _write(archive: ArchiveWriter, source: CollectionSource, steps: Steps) -> CollectionEntry:
    identities, faces, embeddings = member_names(source.place)
    collection = source.collection
    return CollectionEntry(
        name=collection.name,
        description=collection.description,
        created_at=collection.created_at,
        embedder=collection.embedder,
        digest=collection.digest,
        dimension=collection.dimension,
        options=_archived(collection.options),
        calibration=source.calibration,
        identities=source.identities,
        faces=source.faces,
        members=(
            _write_lines(archive, identities, PersonLine, source.pages_of_people(), steps),
            _write_lines(archive, faces, FaceLine, source.pages_of_faces(), steps),
            _write_embeddings(archive, embeddings, source, steps),
        ),
    )


def _archived(options: CollectionOptions) -> Options:
    unknowns = options.unknowns
    kept = ArchivedUnknownOptions(keep=unknowns.keep, retention_s=unknowns.retention_s)
    return Options(decisions=options.decisions, unknowns=kept, people=options.people)


def _write_lines(
    archive: ArchiveWriter,
    name: str,
    kind: type[Line],
    pages: Iterable[Sequence[Mapping[str, object]]],
    steps: Steps,
) -> Member:
    with archive.member(name) as member:
        for page in pages:
            lines = [_line(kind, row) for row in page]
            member.write("".join(lines).encode("utf-8"))
            steps.done(len(page))
    return member.entry()


def _line(kind: type[Line], row: Mapping[str, object]) -> str:
    try:
        # Not strict: JSON columns have lists where a line has tuples.
        return kind.model_validate(row, strict=False).model_dump_json() + "\n"
    except ValidationError as error:
        raise NotExportable(
            f"{row.get('id')!r} could not be imported again ({first_problem(error)})"
        ) from error


def _write_embeddings(
    archive: ArchiveWriter, name: str, source: CollectionSource, steps: Steps
) -> Member:
    dimension = source.collection.dimension
    with archive.member(name) as member:
        member.write(header(source.faces, dimension))
        for ids, embeddings in source.pages_of_embeddings():
            _require_whole(ids, embeddings, dimension)
            member.write(b"".join(embeddings))
            steps.done(len(ids))
    return member.entry()


def _require_whole(ids: Sequence[str], embeddings: Sequence[bytes], dimension: int) -> None:
    for face_id, data in zip(ids, embeddings, strict=True):
        if len(data) != np.dtype("<f4").itemsize * dimension:
            raise _unusable(face_id)
    vectors = np.frombuffer(b"".join(embeddings), dtype="<f4").reshape(-1, dimension)
    wrong = first_not_of_unit_length(vectors)
    if wrong is not None:
        raise _unusable(ids[wrong])


def _unusable(face_id: str) -> NotExportable:
    return NotExportable(f"face {face_id} could not be imported again: its embedding is damaged")
