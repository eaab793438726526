"""`vultus enroll-folder`."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import typer
from rich.console import RenderableType

from app.cli.output import count_table, finish, progress_bar, show
from app.cli.people.consents import give_if_missing
from app.cli.people.folder_of_people import FolderOfPeople, LeftOut, read_folder
from app.cli.remedies import TERMINAL
from app.cli.session import with_services
from app.datasets.photo_set import read_photo
from app.errors import ImageTooLarge, ImageUnreadable, NoUsableImage, RejectedImage, WrongPerson
from app.gallery.people.consent_records import NewConsent
from app.gallery.records import IdentityFilter, NewIdentity
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.enroll.enroller import Enrollment
from app.operations.enroll.photo_rejections import unusable
from app.runtime.gather import in_turns
from app.services import Services


@dataclass(slots=True)
class Summary:
    """What a run did.

    `people` have new `faces`. `known_before` counts photos that were enrolled before, `passed_over`
    other faces on the photos that were used. `rejected`: each photo that is not enrolled, and why.
    `without_face`: folders of people without an enrolled face. `left_out`: entries that were not
    read.
    """

    photos: int
    left_out: Counter[LeftOut]
    people: int = 0
    faces: int = 0
    known_before: int = 0
    passed_over: int = 0
    rejected: list[tuple[Path, RejectedImage]] = field(default_factory=list)
    without_face: list[Path] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Return whether all that may be a photo of a person is enrolled."""
        left_out = any(why.may_be_a_photo for why in self.left_out.elements())
        return not (self.rejected or self.without_face or left_out)

    @property
    def reasons(self) -> Counter[str]:
        """Count the reasons why photos were rejected."""
        return Counter(reason for _, image in self.rejected for reason in image.reasons)


def enroll_folder(
    folder: Path,
    collection: str,
    options: EnrollOptions,
    consent: NewConsent | None,
    *,
    as_json: bool,
) -> None:
    """Enroll a folder of people: one folder a person, whose name becomes name and external_id.

    `consent` is recorded of each person who has none that is valid.
    """
    found = read_folder(folder)
    if not found.photos:
        raise typer.BadParameter(f"{folder} has no folders in it; make one folder a person")
    summary = with_services(
        lambda services: _FolderEnrolment(services, collection, options, consent, found).run()
    )
    show(_as_json(summary, folder), *_texts(summary, folder), as_json=as_json)
    finish(complete=summary.complete)


class _FolderEnrolment:
    """Enrolls people side by side. Their photos share turns, so that they do not fill the queue."""

    def __init__(
        self,
        services: Services,
        collection: str,
        options: EnrollOptions,
        consent: NewConsent | None,
        found: FolderOfPeople,
    ) -> None:
        self._services = services
        self._collection = collection
        self._options = options
        self._consent = consent
        self._people = found.photos
        self._turns = services.enroll.turns()
        self._summary = Summary(sum(map(len, found.photos.values())), found.left_out)

    async def run(self) -> Summary:
        with progress_bar("enrolling") as progress:
            task = progress.add_task("people", total=len(self._people))
            await in_turns(
                list(self._people),
                self._enroll_person,
                at_once=self._services.recognizer.concurrency,
                progress=lambda: progress.advance(task),
            )
        self._summary.rejected.sort(key=lambda item: item[0])
        self._summary.without_face.sort()
        return self._summary

    async def _enroll_person(self, person: Path) -> None:
        photos = self._people[person]
        most = self._services.settings.limits.max_images
        faces = known = 0
        for start in range(0, len(photos), most):
            done = await self._enroll_photos(person.name, photos[start : start + most])
            if done is not None:
                faces += done.new_face_count
                known += len(done.faces) - done.new_face_count
                self._summary.passed_over += len(done.passed_over)
        self._summary.faces += faces
        self._summary.known_before += known
        self._summary.people += faces > 0
        if not faces and not known:
            self._summary.without_face.append(person)

    async def _enroll_photos(self, name: str, photos: Sequence[Path]) -> Enrollment | None:
        """Enroll as many photos as one enrolment takes; None if none of them can be used."""
        read, images = [], []
        for photo in photos:
            try:
                images.append(await asyncio.to_thread(self._read, photo))
                read.append(photo)
            except (ImageUnreadable, ImageTooLarge) as error:
                self._summary.rejected.append((photo, unusable(error, len(read))))
        if not images:
            return None
        done: Enrollment | None = None
        try:
            done = await self._enroll_images(name, images)
            rejected = done.rejected
        except (NoUsableImage, WrongPerson) as error:
            rejected = error.rejected
        for image in rejected:
            assert image.image_index is not None  # no embedding comes from a folder
            self._summary.rejected.append((read[image.image_index], image))
        return done

    async def _enroll_images(self, name: str, images: list[bytes]) -> Enrollment:
        enroll, collection = self._services.enroll, self._collection
        known = await asyncio.to_thread(
            self._services.gallery.people.page,
            collection,
            IdentityFilter(external_id=name),
            limit=1,
            cursor=None,
        )
        if known.items:
            await give_if_missing(
                self._services, self._collection, known.items[0].id, self._consent
            )
            return await enroll.add_faces(
                collection, known.items[0].id, images, self._options, turns=self._turns
            )
        new = NewIdentity(name=name.replace("_", " "), external_id=name, consent=self._consent)
        return await enroll.create(collection, new, images, self._options, turns=self._turns)

    def _read(self, photo: Path) -> bytes:
        try:
            return read_photo(self._services.recognizer, photo)
        except OSError as error:
            raise ImageUnreadable(str(error)) from error


def _texts(summary: Summary, folder: Path) -> Iterator[RenderableType]:
    for photo, image in summary.rejected:
        yield (
            f"not enrolled: {photo.relative_to(folder)}: {', '.join(image.reasons)} "
            f"({TERMINAL.detail_of_image(image)})"
        )
    for person in summary.without_face:
        yield f"nobody enrolled: {person.relative_to(folder)}: no photo of this folder is enrolled"
    counts = {
        "photos found": summary.photos,
        "people with new faces": summary.people,
        "faces enrolled": summary.faces,
        "photos enrolled before": summary.known_before,
        "other faces on these photos, passed over": summary.passed_over or None,
        "people without a face": len(summary.without_face),
        **{f"rejected: {reason}": count for reason, count in summary.reasons.most_common()},
        **{f"left out: {why}": count for why, count in summary.left_out.most_common()},
    }
    yield count_table("outcome", counts)


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
