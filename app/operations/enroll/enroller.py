"""Enroll people from photos."""

import asyncio
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

import structlog

from app.errors import (
    ImageTooLarge,
    ImageUnreadable,
    NoUsableImage,
    RejectedImage,
    WrongPerson,
)
from app.gallery.gallery import Gallery
from app.gallery.people.enrolment import Enrolled, KnownFace
from app.gallery.people.enrolment_guards import EveryFaceRefusedError, Refusal
from app.gallery.records import Face, Identity, NewFace, NewIdentity
from app.gallery.store.idempotency import Once
from app.observe import request_scope
from app.operations.enroll.crop_vault import CropVault
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.enroll.guard_lookup import Guards, looking_again, refused
from app.operations.enroll.photo_rejections import unusable
from app.operations.enroll.photo_subject import PassedOver, candidates, find_subject
from app.recognition.pipeline import Recognizer
from app.runtime.gather import together
from app.runtime.threads import reading, writing

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class EnrolledFace:
    """A face that is in the gallery, and which of the images it came from.

    `already_enrolled`: it was there before, or an earlier image of the request is the same picture.
    """

    face: Face
    image_index: int
    already_enrolled: bool = False


@dataclass(frozen=True, slots=True)
class PassedOverFace:
    """A face that did not count, and the image that it is on."""

    passed_over: PassedOver
    image_index: int


@dataclass(frozen=True, slots=True)
class Enrollment:
    identity: Identity
    faces: tuple[EnrolledFace, ...]
    rejected: tuple[RejectedImage, ...]
    passed_over: tuple[PassedOverFace, ...] = ()
    """Faces that were on the images beside those that are meant."""

    @property
    def new_face_count(self) -> int:
        return sum(not face.already_enrolled for face in self.faces)

    @property
    def rejection_reasons(self) -> tuple[str, ...]:
        return tuple(reason for image in self.rejected for reason in image.reasons)


@dataclass(frozen=True, slots=True)
class UsableImage:
    """A face to enroll, and which of the images it came from."""

    image_index: int
    face: NewFace
    passed_over: tuple[PassedOver, ...] = ()
    """Other faces of the image, which did not count."""


class Enroller:
    """Takes photos of one person each and puts their faces into the gallery.

    Nothing is written unless at least one photo is usable; the photos themselves are not kept.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        gallery: Gallery,
        guards: Guards,
        vault: CropVault | None = None,
    ) -> None:
        self._vault = vault
        self._recognizer = recognizer
        self._gallery = gallery
        self.guards = guards

    async def create(
        self,
        collection: str,
        new: NewIdentity,
        images: Sequence[bytes],
        options: EnrollOptions,
        *,
        once: Once[Enrollment] | None = None,
        turns: asyncio.Semaphore | None = None,
    ) -> Enrollment:
        """Enroll a new person; without images, a person whose faces come later.

        `turns` as of `examine`. Raises NoUsableImage when images are given and none can be used,
        WrongPerson when the guards refuse those that could be, ExternalIdTaken, CollectionNotFound,
        EmbedderMismatch, and AnsweredBeforeError by `once`.
        """
        keep_crops = await self.keeps_crops(collection)
        usable, rejected = await self.examine(images, options, turns=turns, keep_crops=keep_crops)
        faces = [item.face for item in usable]

        def write() -> Enrollment:
            request_scope.require_time()  # from here on, it is done
            return _enrollment(
                usable,
                rejected,
                self._gallery.people.enroll(
                    collection,
                    new,
                    faces,
                    guard=self.guards.look(collection, faces, options),
                    once=_once(once, usable, rejected),
                ),
            )

        try:
            return await writing(looking_again, write)
        except EveryFaceRefusedError as error:
            raise _wrong_person(error, usable, rejected) from error

    async def add_faces(
        self,
        collection: str,
        identity_id: str,
        images: Sequence[bytes],
        options: EnrollOptions,
        *,
        once: Once[Enrollment] | None = None,
        turns: asyncio.Semaphore | None = None,
    ) -> Enrollment:
        """Enroll more photos of a person. Those enrolled already are answered as such.

        Raises as `create` does, and IdentityNotFound.
        """
        known = await self._known(collection, identity_id, images)
        keep_crops = await self.keeps_crops(collection)
        usable, rejected = await self.examine(
            images, options, skip=set(known), turns=turns, keep_crops=keep_crops
        )
        faces = [item.face for item in usable]

        def write() -> Enrollment:
            request_scope.require_time()  # from here on, it is done
            guard = self.guards.look(collection, faces, options, identity_id=identity_id)
            done = self._gallery.faces.add(
                collection,
                identity_id,
                faces,
                guard=guard,
                once=_once(once, usable, rejected, known),
            )
            return _enrollment(usable, rejected, done, known)

        try:
            return await writing(looking_again, write)
        except EveryFaceRefusedError as error:
            refusal = _wrong_person(error, usable, rejected)
            if not known:
                raise refusal from error
        identity = await reading(self._gallery.people.get, collection, identity_id)
        return _enrollment([], refusal.rejected, (identity, ()), known)

    async def _known(
        self, collection: str, identity_id: str, images: Sequence[bytes]
    ) -> dict[int, Face]:
        """By their places, the faces of images that are enrolled for the person already."""
        known = await reading(self._gallery.faces.enrolled_images, collection, identity_id)
        if not known:
            return {}
        digests = await asyncio.to_thread(lambda: [_sha256(image) for image in images])
        return {place: known[digest] for place, digest in enumerate(digests) if digest in known}

    async def keeps_crops(self, collection: str) -> bool:
        """Whether a collection keeps crops. Raises CollectionNotFound and EmbedderMismatch."""
        basis = await reading(self._gallery.collections.require, collection)
        wanted = basis.options.crops.keep
        if wanted and self._vault is None:
            _log.warning("crops_not_kept", collection=collection, remedy="set VULTUS_CROPS_KEY")
        return wanted and self._vault is not None

    def turns(self) -> asyncio.Semaphore:
        """As many as photos are worked on at once: who takes turns does not fill the queue."""
        return asyncio.Semaphore(self._recognizer.concurrency)

    async def examine(
        self,
        images: Sequence[bytes],
        options: EnrollOptions,
        *,
        skip: Collection[int] = (),
        turns: asyncio.Semaphore | None = None,
        keep_crops: bool = False,
    ) -> tuple[list[UsableImage], list[RejectedImage]]:
        """Sort images into usable faces and rejections, both in the order sent.

        Those in the places `skip` are not looked at. Those who have several people examined at once
        share their `turns`. Raises NoUsableImage when there are images and none can be used.
        """
        turns = turns or self.turns()

        async def examine(index: int, image: bytes) -> UsableImage | RejectedImage:
            async with turns:
                return await self._examine_one(index, image, options, keep_crops=keep_crops)

        results = await together(
            examine(i, image) for i, image in enumerate(images) if i not in skip
        )
        usable = [result for result in results if isinstance(result, UsableImage)]
        rejected = [result for result in results if isinstance(result, RejectedImage)]
        if images and not usable and not skip:
            raise NoUsableImage(_none_usable(rejected), rejected)
        return usable, rejected

    async def _examine_one(
        self,
        index: int,
        image: bytes,
        options: EnrollOptions,
        *,
        keep_crops: bool,
    ) -> UsableImage | RejectedImage:
        try:
            photo = await self._recognizer.embed(
                image, candidates(options.faces), keep_crops=keep_crops
            )
        except (ImageUnreadable, ImageTooLarge) as error:
            return unusable(error, index)
        subject = find_subject(photo, index, options.faces, options.quality_filter)
        embedded = subject.face
        if subject.refused is not None or embedded is None:
            assert subject.refused is not None  # a photo without a subject says why
            return subject.refused
        face_id = uuid4().hex
        sealed = None
        if embedded.wide_crop is not None and self._vault is not None:
            sealed = await asyncio.to_thread(self._vault.seal, face_id, embedded.wide_crop)
        return UsableImage(
            index,
            NewFace(
                embedding=embedded.embedding,
                box=embedded.face.box,
                landmarks=embedded.face.landmarks,
                detection_score=embedded.face.score,
                image_sha256=photo.sha256,
                quality=embedded.quality.unified,
                next_embedding=embedded.next_embedding,
                face_id=face_id,
                sealed_crop=sealed,
            ),
            subject.passed_over,
        )


def _sha256(image: bytes) -> str:
    return hashlib.sha256(image).hexdigest()


WRONG_PERSON = "the faces seem to be of another person, and nothing was changed"


def _none_usable(rejected: Sequence[RejectedImage]) -> str:
    if len(rejected) == 1:
        return f"the image cannot be enrolled, and nothing was changed: {rejected[0].detail}"
    return "none of the images can be enrolled, and nothing was changed"


def _once(
    once: Once[Enrollment] | None,
    usable: Sequence[UsableImage],
    rejected: Sequence[RejectedImage],
    known: Mapping[int, Face] | None = None,
) -> Once[Enrolled] | None:
    """What the gallery keeps is what is answered."""
    if once is None:
        return None
    return Once(once.ticket, lambda done: once.answer(_enrollment(usable, rejected, done, known)))


def _enrollment(
    usable: Sequence[UsableImage],
    rejected: Sequence[RejectedImage],
    done: Enrolled,
    known: Mapping[int, Face] | None = None,
) -> Enrollment:
    identity, outcomes = done
    faces = [
        EnrolledFace(face, place, already_enrolled=True) for place, face in (known or {}).items()
    ]
    all_rejected = list(rejected)
    for item, outcome in zip(usable, outcomes, strict=True):
        if isinstance(outcome, Refusal):
            all_rejected.append(refused(outcome, item.image_index))
        elif isinstance(outcome, KnownFace):
            faces.append(EnrolledFace(outcome.face, item.image_index, already_enrolled=True))
        else:
            faces.append(EnrolledFace(outcome, item.image_index))
    return Enrollment(
        identity,
        tuple(sorted(faces, key=lambda face: face.image_index)),
        in_order(all_rejected),
        passed_over_of(usable),
    )


def passed_over_of(usable: Sequence[UsableImage]) -> tuple[PassedOverFace, ...]:
    return tuple(
        PassedOverFace(face, item.image_index) for item in usable for face in item.passed_over
    )


def _wrong_person(
    error: EveryFaceRefusedError, usable: Sequence[UsableImage], rejected: Sequence[RejectedImage]
) -> WrongPerson:
    by_guard = [
        refused(refusal, item.image_index)
        for refusal, item in zip(error.refusals, usable, strict=True)
    ]
    return WrongPerson(WRONG_PERSON, in_order([*rejected, *by_guard]))


def in_order(rejected: Sequence[RejectedImage]) -> tuple[RejectedImage, ...]:
    """Embeddings first, as they are enrolled."""
    return tuple(
        sorted(rejected, key=lambda image: -1 if image.image_index is None else image.image_index)
    )
