"""`vultus enroll-folder`."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import typer
from rich.table import Table

from app.cli.output import print_json, progress_bar, results
from app.cli.remedies import TERMINAL
from app.cli.session import with_services
from app.errors import ImageTooLarge, ImageUnreadable, NoUsableImage, RejectedImage, WrongPerson
from app.gallery.records import IdentityFilter, NewIdentity
from app.operations.choices import FaceRule, QualityFilter
from app.operations.enroll import Enrollment
from app.operations.photo_listing import PHOTO_SUFFIXES
from app.operations.single_face import unusable
from app.operations.together import together
from app.recognition.pipeline import Recognizer
from app.services import Services


@dataclass(slots=True)
class Summary:
    """What a run did. `rejected` tells each photo that was not enrolled and why."""

    people: int = 0
    faces: int = 0
    known_before: int = 0
    passed_over: int = 0
    """Other faces on the photos that were used."""
    rejected: list[tuple[Path, RejectedImage]] = field(default_factory=list)

    @property
    def reasons(self) -> Counter[str]:
        return Counter(reason for _, image in self.rejected for reason in image.reasons)


@dataclass(frozen=True, slots=True)
class _How:
    """Which of the faces of a photo is enrolled, how good it must be, and against all advice?"""

    rule: FaceRule
    quality_filter: QualityFilter
    force: bool


@dataclass(frozen=True, slots=True)
class _Enrolling:
    """Into which collection, how, and the turns that the photos of all people take together."""

    services: Services
    collection: str
    how: _How
    turns: asyncio.Semaphore


def enroll_folder(
    *,
    folder: Path,
    collection: str,
    faces: FaceRule,
    quality_filter: QualityFilter,
    force: bool,
    as_json: bool,
) -> None:
    """Enroll a folder of people: one folder a person, whose name becomes name and external_id."""
    people = sorted(
        path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
    )
    if not people:
        raise typer.BadParameter(f"{folder} has no folders in it; make one folder a person")

    how = _How(faces, quality_filter, force)

    async def use(services: Services) -> Summary:
        summary = Summary()
        enrolling = _Enrolling(services, collection, how, services.enroll.turns())
        with progress_bar("enrolling") as progress:
            task = progress.add_task("people", total=len(people))
            turns = asyncio.Semaphore(services.recognizer.concurrency)

            async def enroll(person: Path) -> None:
                async with turns:
                    await _enroll_person(enrolling, person, summary)
                progress.advance(task)

            await together(enroll(person) for person in people)
        summary.rejected.sort(key=lambda item: item[0])
        return summary

    summary = with_services(use)
    if as_json:
        print_json(_as_json(summary, folder))
    else:
        _print(summary, folder)


async def _enroll_person(enrolling: _Enrolling, person: Path, summary: Summary) -> None:
    services = enrolling.services
    photos = await asyncio.to_thread(_photos_of, person)
    limit = services.settings.limits.max_images
    faces = 0
    for start in range(0, len(photos), limit):
        some, images = [], []
        for photo in photos[start : start + limit]:
            try:
                images.append(await asyncio.to_thread(_read, photo, services.recognizer))
                some.append(photo)
            except (ImageUnreadable, ImageTooLarge) as error:
                summary.rejected.append((photo, unusable(error, len(some))))
        if not images:
            continue
        try:
            done = await _enroll_images(enrolling, person.name, images)
        except (NoUsableImage, WrongPerson) as error:
            _note_rejected(summary, some, error.rejected)
            continue
        faces += done.new_face_count
        summary.known_before += len(done.faces) - done.new_face_count
        summary.passed_over += len(done.passed_over)
        _note_rejected(summary, some, done.rejected)
    summary.faces += faces
    summary.people += faces > 0


async def _enroll_images(enrolling: _Enrolling, name: str, images: list[bytes]) -> Enrollment:
    services, collection, how = enrolling.services, enrolling.collection, enrolling.how
    known = await asyncio.to_thread(
        services.gallery.list_identities,
        collection,
        IdentityFilter(external_id=name),
        limit=1,
        cursor=None,
    )
    if known.items:
        return await services.enroll.add_faces(
            collection,
            known.items[0].id,
            images,
            how.rule,
            quality_filter=how.quality_filter,
            force=how.force,
            turns=enrolling.turns,
        )
    new = NewIdentity(name=name.replace("_", " "), external_id=name)
    return await services.enroll.create(
        collection,
        new,
        images,
        how.rule,
        quality_filter=how.quality_filter,
        force=how.force,
        turns=enrolling.turns,
    )


def _photos_of(person: Path) -> list[Path]:
    return sorted(path for path in person.iterdir() if path.suffix.lower() in PHOTO_SUFFIXES)


def _read(photo: Path, recognizer: Recognizer) -> bytes:
    """Raises ImageTooLarge before a byte is read, and ImageUnreadable when none can be."""
    try:
        recognizer.require_size(photo.stat().st_size)
        return photo.read_bytes()
    except OSError as error:
        raise ImageUnreadable(str(error)) from error


def _note_rejected(
    summary: Summary, photos: list[Path], rejected: tuple[RejectedImage, ...]
) -> None:
    for image in rejected:
        assert image.image_index is not None  # no embedding comes from a folder
        summary.rejected.append((photos[image.image_index], image))


def _print(summary: Summary, folder: Path) -> None:
    for photo, image in summary.rejected:
        results.print(
            f"not enrolled: {photo.relative_to(folder)}: {', '.join(image.reasons)} "
            f"({TERMINAL.detail_of_image(image)})",
            soft_wrap=True,
        )
    table = Table("outcome", "count")
    table.add_row("people with new faces", str(summary.people))
    table.add_row("faces enrolled", str(summary.faces))
    table.add_row("photos enrolled before", str(summary.known_before))
    if summary.passed_over:
        table.add_row("other faces on these photos, passed over", str(summary.passed_over))
    for reason, count in summary.reasons.most_common():
        table.add_row(f"rejected: {reason}", str(count))
    results.print(table)


def _as_json(summary: Summary, folder: Path) -> dict[str, object]:
    return {
        "people": summary.people,
        "faces": summary.faces,
        "known_before": summary.known_before,
        "passed_over": summary.passed_over,
        "rejected": [
            {"photo": str(photo.relative_to(folder)), "reasons": list(image.reasons)}
            for photo, image in summary.rejected
        ],
    }
