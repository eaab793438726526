"""Read an archive into a database: all of it is checked first, then people are added."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from app.errors import CollectionNotInArchive, SeveralCollections
from app.gallery.store.database import Database
from app.gallery.transfer.archive_check import check_archive
from app.gallery.transfer.archive_locks import ArchiveLock
from app.gallery.transfer.archive_manifest import CollectionEntry, Manifest
from app.gallery.transfer.archive_reader import ArchiveReader, open_archive
from app.gallery.transfer.archived_people import ArchivedPerson, archived_people
from app.gallery.transfer.import_obstacles import Skipped
from app.gallery.transfer.import_target import CollectionTarget
from app.gallery.transfer.transfer_progress import Progress, Steps, silent

_PEOPLE_AT_ONCE = 1_000
_FACES_AT_ONCE = 10_000


class CalibrationTaken(StrEnum):
    """What became of the calibration of an archived collection."""

    NONE = "none"
    """The archive has none, or the collection was there already and keeps its own."""
    LEFT_OUT = "left_out"
    TAKEN_OVER = "taken_over"


@dataclass(slots=True)
class Imported:
    """The result for one collection of the archive."""

    entry: CollectionEntry
    into: str
    created: bool = False
    identities: int = 0
    faces: int = 0
    known_before: int = 0
    """People who were there already, and were left as they are."""
    expired: int = 0
    """People whose `expires_at` has passed since the export; they were passed over."""
    skipped: list[Skipped] = field(default_factory=list)
    calibration: CalibrationTaken = CalibrationTaken.NONE


ChooseCalibration = Callable[[CollectionEntry], Mapping[str, object] | None]
"""Returns the calibration of a new collection by that of its entry; None for none."""


def import_gallery(
    database: Database,
    path: Path,
    *,
    names: Sequence[str] = (),
    into: str | None = None,
    locks: Sequence[ArchiveLock] = (),
    choose_calibration: ChooseCalibration = lambda _: None,
    progress: Progress = silent,
) -> tuple[Imported, ...]:
    """Add the people of these collections, or of all, to the collections of the same names.

    `into` gives the one collection that is read another name; one of the `locks` opens a sealed
    archive. A calibration decides who matches, so the archive's are left out unless
    `choose_calibration`, which may raise, returns them. Run again after an interruption, it
    continues where it stopped: people who are there already are passed over.

    Raises ArchiveUnusable, EmbedderMismatch, CollectionNotFound or InvalidRequest with nothing
    changed. What goes wrong later on (the database does not answer) leaves whole people only.
    """
    with open_archive(path, locks) as archive:
        chosen = [
            (entry, CollectionTarget(database, entry, into or entry.name))
            for entry in _chosen(archive.manifest, names, into)
        ]
        for _, target in chosen:
            target.require_embedder_of_archive()
        calibrations = [choose_calibration(entry) for entry, _ in chosen]
        check_archive(archive, Steps(progress, "verifying", _rows(archive.manifest.collections)))
        steps = Steps(progress, "importing", _rows([entry for entry, _ in chosen]))
        return tuple(
            _load(archive, entry, target, calibration, steps)
            for (entry, target), calibration in zip(chosen, calibrations, strict=True)
        )


def _chosen(
    manifest: Manifest, names: Sequence[str], into: str | None
) -> Sequence[CollectionEntry]:
    by_name = {entry.name: entry for entry in manifest.collections}
    for name in names:
        if name not in by_name:
            raise CollectionNotInArchive(
                f"the archive has no collection {name!r}; it has {', '.join(by_name) or 'none'}",
                collection=name,
            )
    chosen = [by_name[name] for name in dict.fromkeys(names)] if names else manifest.collections
    if into is not None and len(chosen) != 1:
        raise SeveralCollections(
            f"{len(chosen)} collections cannot be imported into {into!r} at once; there are "
            f"{', '.join(by_name) or 'none'}"
        )
    return chosen


def _load(
    archive: ArchiveReader,
    entry: CollectionEntry,
    target: CollectionTarget,
    calibration: Mapping[str, object] | None,
    steps: Steps,
) -> Imported:
    imported = Imported(entry, target.name, created=target.create(calibration))
    if imported.created and entry.calibration is not None:
        left_out = calibration is None
        imported.calibration = (
            CalibrationTaken.LEFT_OUT if left_out else CalibrationTaken.TAKEN_OVER
        )
    with closing(archived_people(archive, entry)) as archived:
        for people in _batches(archived):
            added = target.add(people)
            imported.identities += len(added.fresh)
            imported.faces += added.faces
            imported.known_before += added.known_before
            imported.expired += added.expired
            imported.skipped += added.skipped
            steps.done(sum(1 + len(person.faces) for person in people))
    return imported


def _batches(archived: Iterator[ArchivedPerson]) -> Iterator[list[ArchivedPerson]]:
    """A person with more faces than _FACES_AT_ONCE is whole as well."""
    people: list[ArchivedPerson] = []
    faces = 0
    for person in archived:
        people.append(person)
        faces += len(person.faces)
        if len(people) >= _PEOPLE_AT_ONCE or faces >= _FACES_AT_ONCE:
            yield people
            people, faces = [], 0
    if people:
        yield people


def _rows(entries: Sequence[CollectionEntry]) -> int:
    return sum(entry.identities + entry.faces for entry in entries)
