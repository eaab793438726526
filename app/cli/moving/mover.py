"""Import people and their photos from a source, so that an import may be interrupted and repeated.

Each photo is an enrolment of its own. What is enrolled already is known by its file, or by its
label, and is not enrolled again.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from app.cli.moving.source import PhotoNotGivenError, Source, SourcePhoto
from app.cli.people.consents import give_if_missing
from app.cli.remedies import TERMINAL
from app.errors import NoUsableImage, RejectedImage, WrongPerson
from app.gallery.people.consent_records import NewConsent
from app.gallery.records import FaceFilter, Identity, IdentityFilter, NewIdentity
from app.gallery.value_types import composed
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.enroll.enroller import Enrollment
from app.runtime.gather import in_turns
from app.runtime.threads import reading
from app.services import Services

_LABELS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class LeftPhoto:
    """A photo that was not imported."""

    person: str
    label: str
    reasons: tuple[str, ...]
    detail: str


@dataclass(slots=True)
class Moved:
    """What an import did.

    `people` are those of the source, `new_people` those who were not enrolled before, and `faces`
    new ones; `known_before` counts photos that were enrolled before. `without_face`: people of whom
    no photo is enrolled now.
    """

    people: int = 0
    photos: int = 0
    new_people: int = 0
    faces: int = 0
    known_before: int = 0
    left: list[LeftPhoto] = field(default_factory=list)
    without_face: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Return whether all photos are enrolled, and everybody has a face."""
        return not (self.left or self.without_face)

    @property
    def reasons(self) -> Counter[str]:
        """Count the reasons why photos were left."""
        return Counter(reason for photo in self.left for reason in photo.reasons)


class Mover:
    """Imports into one collection. `options` are those that the user asked for; `consent` is
    recorded of each person who has none that is valid."""

    def __init__(
        self,
        services: Services,
        collection: str,
        options: EnrollOptions,
        consent: NewConsent | None,
        source: Source,
        on_photo: Callable[[], None],
    ) -> None:
        self._services = services
        self._collection = collection
        self._options = source.options(options)
        self._consent = consent
        self._source = source
        self._on_photo = on_photo
        self._turns = services.enroll.turns()
        self._known: set[str] = set()
        self._moved = Moved()

    async def move(self) -> Moved:
        """Import all people of the source, several at once."""
        people = self._source.people
        self._moved.people = len(people)
        self._moved.photos = sum(map(len, people.values()))
        if self._source.has_unique_labels:
            self._known = await reading(self._read_labels)
        await in_turns(
            list(people), self._move_person, at_once=2 * self._services.recognizer.concurrency
        )
        self._moved.left.sort(key=lambda photo: (photo.person, photo.label))
        self._moved.without_face.sort()
        return self._moved

    def _read_labels(self) -> set[str]:
        """The labels of all photos that are enrolled."""
        found: set[str] = set()
        cursor = None
        while True:
            page = self._services.gallery.faces.listed(
                self._collection, FaceFilter(), limit=_LABELS_AT_ONCE, cursor=cursor
            )
            found |= {face.image_label for face in page.items if face.image_label is not None}
            cursor = page.next_cursor
            if cursor is None:
                return found

    async def _move_person(self, name: str) -> None:
        unusable = _why_unusable(name)
        if unusable is None:
            await self._move_photos(name)
            return
        for photo in self._source.people[name]:
            self._leave(name, photo, ["unusable_name"], unusable)
            self._on_photo()
        self._moved.without_face.append(name)

    async def _move_photos(self, name: str) -> None:
        person = await reading(self._find, name)
        if person is not None:
            await give_if_missing(self._services, self._collection, person.id, self._consent)
        face_count = 0 if person is None else person.face_count
        for photo in self._source.people[name]:
            if photo.label in self._known:
                self._moved.known_before += 1
            else:
                done = await self._move_photo(name, person, photo)
                if done is not None:
                    self._moved.new_people += person is None
                    person = done.identity
                    face_count = person.face_count
            self._on_photo()
        if person is None and self._source.keeps_people_without_face:
            await self._services.enroll.create(self._collection, self._new(name), [], self._options)
            self._moved.new_people += 1
        if not face_count:
            self._moved.without_face.append(name)

    async def _move_photo(
        self, name: str, person: Identity | None, photo: SourcePhoto
    ) -> Enrollment | None:
        """Enroll a photo; None if it cannot be used."""
        try:
            data = await asyncio.to_thread(photo.read)
        except PhotoNotGivenError as error:
            self._leave(name, photo, [error.reason], str(error))
            return None
        options = replace(self._options, image_label=photo.label)
        enroll = self._services.enroll
        try:
            done = await (
                enroll.create(self._collection, self._new(name), [data], options, turns=self._turns)
                if person is None
                else enroll.add_faces(
                    self._collection, person.id, [data], options, turns=self._turns
                )
            )
        except (NoUsableImage, WrongPerson) as error:
            self._leave_rejected(name, photo, error.rejected)
            return None
        self._leave_rejected(name, photo, done.rejected)
        self._moved.faces += done.new_face_count
        self._moved.known_before += len(done.faces) - done.new_face_count
        return done

    def _find(self, name: str) -> Identity | None:
        """The person of this external_id, or who is called so and has none."""
        people = self._services.gallery.people
        for wanted in (IdentityFilter(external_id=name), IdentityFilter(name=name)):
            page = people.page(self._collection, wanted, limit=100, cursor=None)
            own = [one for one in page.items if one.external_id in (None, wanted.external_id)]
            if own:
                return own[0]
        return None

    def _new(self, name: str) -> NewIdentity:
        return NewIdentity(name=name, external_id=name, consent=self._consent)

    def _leave_rejected(
        self, name: str, photo: SourcePhoto, rejected: Sequence[RejectedImage]
    ) -> None:
        for image in rejected:
            self._leave(name, photo, image.reasons, TERMINAL.detail_of_image(image))

    def _leave(self, name: str, photo: SourcePhoto, reasons: Sequence[str], detail: str) -> None:
        self._moved.left.append(LeftPhoto(name, photo.label, tuple(reasons), detail))


def _why_unusable(name: str) -> str | None:
    """Why nobody can be called so here."""
    try:
        composed(name).encode()
    except UnicodeEncodeError:
        return "the name is no valid Unicode"
    except ValueError as error:
        return f"the name {error}"
    return None if name.strip() else "the name is empty"
