"""`vultus enroll-folder`."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import typer
from rich.table import Table

from app.cli.output import print_json, progress_bar, results, say
from app.cli.people.folder_of_people import LeftOut, read_folder
from app.cli.remedies import TERMINAL
from app.cli.session import with_services
from app.errors import ImageTooLarge, ImageUnreadable, NoUsableImage, RejectedImage, WrongPerson
from app.gallery.records import IdentityFilter, NewIdentity
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.enroll.enroller import Enrollment
from app.operations.enroll.photo_rejections import unusable
from app.recognition.pipeline import Recognizer
from app.runtime.gather import together
from app.services import Services

_LEFT_SOME_OUT = 3


@dataclass(slots=True)
class Summary:
    """What a run did.

    `rejected`: each photo that was not enrolled, and why. `without_face`: folders of people of whom
    no face is enrolled by this run or one before. `left_out`: entries that were not looked at.
    """

    people: int = 0
    faces: int = 0
    known_before: int = 0
    passed_over: int = 0
    """Other faces on the photos that were used."""
    rejected: list[tuple[Path, RejectedImage]] = field(default_factory=list)
    photos: int = 0
    without_face: list[Path] = field(default_factory=list)
    left_out: Counter[LeftOut] = field(default_factory=Counter)

    @property
    def complete(self) -> bool:
        """Return whether all that may be a photo of a person is enrolled."""
        left_out = any(why.may_be_a_photo for why in self.left_out.elements())
        return not (self.rejected or self.without_face or left_out)

    @property
    def reasons(self) -> Counter[str]:
        return Counter(reason for _, image in self.rejected for reason in image.reasons)


@dataclass(frozen=True, slots=True)
class _Enrolling:
    """Into which collection, how, and the turns that the photos of all people take together."""

    services: Services
    collection: str
    options: EnrollOptions
    turns: asyncio.Semaphore


def enroll_folder(
    *,
    folder: Path,
    collection: str,
    options: EnrollOptions,
    as_json: bool,
) -> None:
    """Enroll a folder of people: one folder a person, whose name becomes name and external_id."""
    found = read_folder(folder)
    if not found.photos:
        raise typer.BadParameter(f"{folder} has no folders in it; make one folder a person")

    async def use(services: Services) -> Summary:
        summary = Summary(photos=sum(map(len, found.photos.values())), left_out=found.left_out)
        enrolling = _Enrolling(services, collection, options, services.enroll.turns())
        with progress_bar("enrolling") as progress:
            task = progress.add_task("people", total=len(found.photos))
            turns = asyncio.Semaphore(services.recognizer.concurrency)

            async def enroll(person: Path, photos: list[Path]) -> None:
                async with turns:
                    await _enroll_person(enrolling, person, photos, summary)
                progress.advance(task)

            await together(enroll(person, photos) for person, photos in found.photos.items())
        summary.rejected.sort(key=lambda item: item[0])
        summary.without_face.sort()
        return summary

    summary = with_services(use)
    if as_json:
        print_json(_as_json(summary, folder))
    else:
        _print(summary, folder)
    raise typer.Exit(0 if summary.complete else _LEFT_SOME_OUT)


async def _enroll_person(
    enrolling: _Enrolling, person: Path, photos: list[Path], summary: Summary
) -> None:
    services = enrolling.services
    limit = services.settings.limits.max_images
    faces = known = 0
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
        known += len(done.faces) - done.new_face_count
        summary.passed_over += len(done.passed_over)
        _note_rejected(summary, some, done.rejected)
    summary.faces += faces
    summary.known_before += known
    summary.people += faces > 0
    if not faces and not known:
        summary.without_face.append(person)


async def _enroll_images(enrolling: _Enrolling, name: str, images: list[bytes]) -> Enrollment:
    services, collection = enrolling.services, enrolling.collection
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
            enrolling.options,
            turns=enrolling.turns,
        )
    new = NewIdentity(name=name.replace("_", " "), external_id=name)
    return await services.enroll.create(
        collection, new, images, enrolling.options, turns=enrolling.turns
    )


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
    for person in summary.without_face:
        say(f"nobody enrolled: {person.relative_to(folder)}: no photo of this folder is enrolled")
    table = Table("outcome", "count")
    table.add_row("photos found", f"{summary.photos:,}")
    table.add_row("people with new faces", f"{summary.people:,}")
    table.add_row("faces enrolled", f"{summary.faces:,}")
    table.add_row("photos enrolled before", f"{summary.known_before:,}")
    if summary.passed_over:
        table.add_row("other faces on these photos, passed over", f"{summary.passed_over:,}")
    table.add_row("people without a face", f"{len(summary.without_face):,}")
    for reason, count in summary.reasons.most_common():
        table.add_row(f"rejected: {reason}", f"{count:,}")
    for why, count in summary.left_out.most_common():
        table.add_row(f"left out: {why}", f"{count:,}")
    results.print(table)


def _as_json(summary: Summary, folder: Path) -> dict[str, object]:
    return {
        "people": summary.people,
        "faces": summary.faces,
        "known_before": summary.known_before,
        "passed_over": summary.passed_over,
        "photos": summary.photos,
        "people_without_face": [str(path.relative_to(folder)) for path in summary.without_face],
        "left_out": {why: summary.left_out[why] for why in LeftOut},
        "rejected": [
            {"photo": str(photo.relative_to(folder)), "reasons": list(image.reasons)}
            for photo, image in summary.rejected
        ],
    }
