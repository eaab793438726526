"""Enroll people from photos."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
from app.gallery.journal.quality_rejections import QualityRejections
from app.gallery.people.enrolment import Enrolled, KnownFace
from app.gallery.people.enrolment_guards import EveryFaceRefusedError, Refusal
from app.gallery.records import Face, Identity, NewFace, NewIdentity
from app.gallery.store.idempotency import Once
from app.observe import request_scope
from app.operations.enroll.crop_vault import CropVault
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.enroll.guard_lookup import Guards, refused, retry_after_switch
from app.operations.enroll.photo_rejections import face_shortcomings, unusable
from app.operations.enroll.photo_subject import PassedOver, candidates, find_subject
from app.recognition.pipeline import Recognizer
from app.recognition.types import EmbeddedFace, EmbeddedPhoto
from app.runtime.gather import together
from app.runtime.threads import reading, writing

WRONG_PERSON = "the faces seem to be of another person, and nothing was changed"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class EnrolledFace:
    """A face that is in the gallery, and the place of its image in the request.

    `already_enrolled`: it was there before, or an earlier image of the request is the same picture.
    """

    face: Face
    image_index: int
    already_enrolled: bool = False


@dataclass(frozen=True, slots=True)
class PassedOverFace:
    """A face that was not used, and the place of its image."""

    passed_over: PassedOver
    image_index: int


@dataclass(frozen=True, slots=True)
class Enrollment:
    identity: Identity
    faces: tuple[EnrolledFace, ...]
    rejected: tuple[RejectedImage, ...]
    passed_over: tuple[PassedOverFace, ...] = ()
    """Other faces of the images that were used."""

    @property
    def new_face_count(self) -> int:
        return sum(not face.already_enrolled for face in self.faces)

    @property
    def rejection_reasons(self) -> tuple[str, ...]:
        return tuple(reason for image in self.rejected for reason in image.reasons)


@dataclass(frozen=True, slots=True)
class UsableImage:
    """A face to enroll, the place of its image, and the faces of the image that are not used."""

    image_index: int
    face: NewFace
    passed_over: tuple[PassedOver, ...] = ()


@dataclass(frozen=True, slots=True)
class ExaminedImages:
    """Images of one person: usable faces and rejections, both in the order sent.

    `known` are faces of the person by the places of their images, which were enrolled before.
    """

    usable: Sequence[UsableImage]
    rejected: Sequence[RejectedImage]
    known: Mapping[int, Face] = field(default_factory=dict)

    @property
    def faces(self) -> list[NewFace]:
        return [image.face for image in self.usable]

    @property
    def passed_over(self) -> tuple[PassedOverFace, ...]:
        return tuple(
            PassedOverFace(face, image.image_index)
            for image in self.usable
            for face in image.passed_over
        )

    def enrollment(self, enrolled: Enrolled) -> Enrollment:
        """The result for a caller, by the outcome for each usable face."""
        identity, outcomes = enrolled
        faces = [
            EnrolledFace(face, place, already_enrolled=True) for place, face in self.known.items()
        ]
        rejected = list(self.rejected)
        for image, outcome in zip(self.usable, outcomes, strict=True):
            place = image.image_index
            if isinstance(outcome, Refusal):
                rejected.append(refused(outcome, place))
            elif isinstance(outcome, KnownFace):
                faces.append(EnrolledFace(outcome.face, place, already_enrolled=True))
            else:
                faces.append(EnrolledFace(outcome, place))
        faces.sort(key=lambda face: face.image_index)
        return Enrollment(identity, tuple(faces), in_order(rejected), self.passed_over)

    def once(self, once: Once[Enrollment] | None) -> Once[Enrolled] | None:
        """The same for the result of the gallery: the kept answer is that of the enrollment."""
        if once is None:
            return None
        return Once(once.ticket, lambda enrolled: once.answer(self.enrollment(enrolled)))

    def wrong_person(self, error: EveryFaceRefusedError) -> WrongPerson:
        """The error for a caller whose usable faces were all refused."""
        by_guard = [
            refused(refusal, image.image_index)
            for refusal, image in zip(error.refusals, self.usable, strict=True)
        ]
        return WrongPerson(WRONG_PERSON, in_order([*self.rejected, *by_guard]))


class Enroller:
    """Takes photos of one person each and puts their faces into the gallery.

    Nothing is written unless at least one photo is usable; the photos themselves are not kept.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        gallery: Gallery,
        guards: Guards,
        rejections: QualityRejections,
        vault: CropVault | None = None,
    ) -> None:
        self._rejections = rejections
        self._vault = vault
        self._recognizer = recognizer
        self._gallery = gallery
        self._guards = guards

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
        WrongPerson when the guards refuse all that could be used, ExternalIdTaken,
        CollectionNotFound, EmbedderMismatch, and AnsweredBeforeError by `once`.
        """
        keep_crops = await self.keeps_crops(collection)
        examined = await self.examine(
            collection, images, options, turns=turns, keep_crops=keep_crops
        )

        def write() -> Enrollment:
            request_scope.require_time()  # after this, the change is made
            look = [] if new.anonymous else examined.faces  # who it is like does not matter then
            guard = self._guards.look(collection, look, options)
            enrolled = self._gallery.people.enroll(
                collection, new, examined.faces, guard=guard, once=examined.once(once)
            )
            return examined.enrollment(enrolled)

        try:
            return await writing(retry_after_switch, write)
        except EveryFaceRefusedError as error:
            raise examined.wrong_person(error) from error

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
        """Enroll more photos of a person. Photos that were enrolled before are returned as such.

        Raises as `create` does, and IdentityNotFound.
        """
        known = await self._known(collection, identity_id, images)
        keep_crops = await self.keeps_crops(collection)
        examined = await self.examine(
            collection, images, options, known=known, turns=turns, keep_crops=keep_crops
        )

        def write() -> Enrollment:
            request_scope.require_time()  # after this, the change is made
            guard = self._guards.look(collection, examined.faces, options, identity_id=identity_id)
            enrolled = self._gallery.faces.add(
                collection, identity_id, examined.faces, guard=guard, once=examined.once(once)
            )
            return examined.enrollment(enrolled)

        try:
            return await writing(retry_after_switch, write)
        except EveryFaceRefusedError as error:
            refusal = examined.wrong_person(error)
            if not known:
                raise refusal from error
        identity = await reading(self._gallery.people.get, collection, identity_id)
        return ExaminedImages((), refusal.rejected, known).enrollment((identity, ()))

    async def _known(
        self, collection: str, identity_id: str, images: Sequence[bytes]
    ) -> dict[int, Face]:
        """The enrolled faces of a person whose images are among `images`, by place."""
        known = await reading(self._gallery.faces.enrolled_images, collection, identity_id)
        if not known:
            return {}
        digests = await asyncio.to_thread(
            lambda: [hashlib.sha256(image).hexdigest() for image in images]
        )
        return {place: known[digest] for place, digest in enumerate(digests) if digest in known}

    async def keeps_crops(self, collection: str) -> bool:
        """Return whether a collection keeps crops. Raises CollectionNotFound and EmbedderMismatch.

        Without a key, no crops are kept, and this is logged.
        """
        basis = await reading(self._gallery.collections.require, collection)
        wanted = basis.options.crops.keep
        if wanted and self._vault is None:
            _log.warning("crops_not_kept", collection=collection, remedy="set VULTUS_CROPS_KEY")
        return wanted and self._vault is not None

    def turns(self) -> asyncio.Semaphore:
        """A semaphore for as many photos as are worked on at once, so that others find places in
        the queue."""
        return asyncio.Semaphore(self._recognizer.concurrency)

    async def examine(
        self,
        collection: str,
        images: Sequence[bytes],
        options: EnrollOptions,
        *,
        known: Mapping[int, Face] | None = None,
        turns: asyncio.Semaphore | None = None,
        keep_crops: bool = False,
    ) -> ExaminedImages:
        """Find the face of the person on each image, except on images with a known face.

        Faces that are refused for their quality are noted for `collection`.

        Callers who examine several people at once share their `turns`. Raises NoUsableImage when
        there are images and none can be used or is known.
        """
        turns = turns or self.turns()

        async def examine(index: int, image: bytes) -> UsableImage | RejectedImage:
            async with turns:
                return await self._examine_one(index, image, options, keep_crops=keep_crops)

        known = known or {}
        results = await together(
            examine(i, image) for i, image in enumerate(images) if i not in known
        )
        usable = [result for result in results if isinstance(result, UsableImage)]
        rejected = [result for result in results if isinstance(result, RejectedImage)]
        for image in rejected:
            if lacking := face_shortcomings(image):
                self._rejections.note(collection, lacking, operation="enroll")
        if images and not usable and not known:
            raise NoUsableImage(_none_usable(rejected), rejected)
        return ExaminedImages(usable, rejected, known)

    async def _examine_one(
        self, index: int, image: bytes, options: EnrollOptions, *, keep_crops: bool
    ) -> UsableImage | RejectedImage:
        try:
            photo = await self._recognizer.embed(
                image,
                candidates(options.faces),
                keep_crops=keep_crops,
                detection=options.detection,
            )
        except (ImageUnreadable, ImageTooLarge) as error:
            return unusable(error, index)
        subject = find_subject(photo, index, options.faces, options.quality_filter)
        embedded = subject.face
        if subject.refused is not None or embedded is None:
            assert subject.refused is not None  # a photo without a subject has a reason
            return subject.refused
        return UsableImage(
            index, await self.new_face(photo, embedded, options), subject.passed_over
        )

    async def new_face(
        self, photo: EmbeddedPhoto, embedded: EmbeddedFace, options: EnrollOptions
    ) -> NewFace:
        """Make of a face on a photo what the gallery keeps; its crop is sealed."""
        face_id = uuid4().hex
        sealed = None
        if embedded.wide_crop is not None and self._vault is not None:
            sealed = await asyncio.to_thread(self._vault.seal, face_id, embedded.wide_crop)
        return NewFace(
            embedding=embedded.embedding,
            box=embedded.face.box,
            landmarks=embedded.face.landmarks,
            detection_score=embedded.face.score,
            image_sha256=photo.sha256,
            quality=embedded.quality.unified,
            next_embedding=embedded.next_embedding,
            face_id=face_id,
            sealed_crop=sealed,
            image_size=(photo.size.width, photo.size.height),
            image_label=options.image_label,
        )


def _none_usable(rejected: Sequence[RejectedImage]) -> str:
    if len(rejected) == 1:
        return f"the image cannot be enrolled, and nothing was changed: {rejected[0].detail}"
    return "none of the images can be enrolled, and nothing was changed"


def in_order(rejected: Sequence[RejectedImage]) -> tuple[RejectedImage, ...]:
    """Sort by the places of images; embeddings first, as they are enrolled first."""
    return tuple(
        sorted(rejected, key=lambda image: -1 if image.image_index is None else image.image_index)
    )
