"""Enroll people from photos."""

import asyncio
import hashlib
from collections.abc import Sequence, Set
from dataclasses import dataclass

from app.errors import ImageTooLarge, ImageUnreadable, NoUsableImage, Reason, RejectedImage
from app.gallery.records import Face, Identity, NewFace, NewIdentity
from app.gallery.service import Gallery
from app.operations.quality_filter import QualityFilter
from app.operations.single_face import FaceRule, rejection, unusable
from app.operations.together import together
from app.recognition.pipeline import Recognizer


@dataclass(frozen=True, slots=True)
class EnrolledFace:
    """A face that is now in the gallery, and which of the images it came from."""

    face: Face
    image_index: int


@dataclass(frozen=True, slots=True)
class Enrollment:
    identity: Identity
    faces: tuple[EnrolledFace, ...]
    rejected: tuple[RejectedImage, ...]

    @property
    def rejection_reasons(self) -> tuple[str, ...]:
        return tuple(reason for image in self.rejected for reason in image.reasons)


@dataclass(frozen=True, slots=True)
class UsableImage:
    """A face to enroll, and which of the images it came from."""

    image_index: int
    face: NewFace


class Enroller:
    """Takes photos of one person each and puts their faces into the gallery.

    Nothing is written unless at least one photo is usable; the photos themselves are not kept.
    """

    def __init__(self, recognizer: Recognizer, gallery: Gallery) -> None:
        self._recognizer = recognizer
        self._gallery = gallery

    async def create(
        self,
        collection: str,
        new: NewIdentity,
        images: Sequence[bytes],
        rule: FaceRule,
        *,
        quality_filter: QualityFilter,
    ) -> Enrollment:
        """Enroll a new person; without images, a person whose faces come later.

        Raises NoUsableImage when images are given and none can be used,
        ExternalIdTaken, CollectionNotFound and EmbedderMismatch.
        """
        await asyncio.to_thread(self._gallery.require_collection, collection)
        usable, rejected = await self.examine(images, rule, quality_filter=quality_filter)
        identity, faces = await asyncio.to_thread(
            self._gallery.create_identity, collection, new, [item.face for item in usable]
        )
        return _enrollment(identity, usable, faces, rejected)

    async def add_faces(
        self,
        collection: str,
        identity_id: str,
        images: Sequence[bytes],
        rule: FaceRule,
        *,
        quality_filter: QualityFilter,
    ) -> Enrollment:
        """Enroll more photos of a person.

        Raises as `create` does, also when all of the images are enrolled already, and
        IdentityNotFound.
        """
        known = await asyncio.to_thread(self._gallery.enrolled_images, collection, identity_id)
        usable, rejected = await self.examine(images, rule, known, quality_filter=quality_filter)
        identity, faces = await asyncio.to_thread(
            self._gallery.add_faces, collection, identity_id, [item.face for item in usable]
        )
        enrollment = _enrollment(identity, usable, faces, rejected)
        if not enrollment.faces:
            raise NoUsableImage(_NONE_USABLE, enrollment.rejected)
        return enrollment

    def turns(self) -> asyncio.Semaphore:
        """As many as photos are worked on at once: who takes turns does not fill the queue."""
        return asyncio.Semaphore(self._recognizer.concurrency)

    async def examine(
        self,
        images: Sequence[bytes],
        rule: FaceRule,
        known: Set[str] = frozenset(),
        turns: asyncio.Semaphore | None = None,
        *,
        quality_filter: QualityFilter,
    ) -> tuple[list[UsableImage], list[RejectedImage]]:
        """Sort images into usable faces and rejections, both in the order sent.

        Those whose SHA-256 is `known` are enrolled already, and are not looked at again. Those who
        have several people examined at once share their `turns`. Raises NoUsableImage when there
        are images and none can be used.
        """
        turns = turns or self.turns()

        async def examine(index: int, image: bytes) -> UsableImage | RejectedImage:
            async with turns:
                if known and await asyncio.to_thread(_sha256, image) in known:
                    return _already_enrolled(index)
                return await self._examine_one(index, image, rule, quality_filter)

        results = await together(examine(i, image) for i, image in enumerate(images))
        usable = [result for result in results if isinstance(result, UsableImage)]
        rejected = [result for result in results if isinstance(result, RejectedImage)]
        if images and not usable:
            raise NoUsableImage(_NONE_USABLE, rejected)
        return usable, rejected

    async def _examine_one(
        self, index: int, image: bytes, rule: FaceRule, quality_filter: QualityFilter
    ) -> UsableImage | RejectedImage:
        try:
            photo = await self._recognizer.embed(image, rule.selection)
        except (ImageUnreadable, ImageTooLarge) as error:
            return unusable(error, index)
        refused = rejection(photo, index, quality_filter)
        if refused is not None:
            return refused
        (embedded,) = photo.faces
        return UsableImage(
            index,
            NewFace(
                embedding=embedded.embedding,
                box=embedded.face.box,
                landmarks=embedded.face.landmarks,
                detection_score=embedded.face.score,
                image_sha256=photo.sha256,
                quality=embedded.quality.unified,
            ),
        )


def _sha256(image: bytes) -> str:
    return hashlib.sha256(image).hexdigest()


def _already_enrolled(image_index: int) -> RejectedImage:
    return RejectedImage(
        image_index,
        (Reason.ALREADY_ENROLLED,),
        "this very photo is enrolled for this person already",
    )


_NONE_USABLE = "none of the images can be enrolled, and nothing was changed; see rejected"


def _enrollment(
    identity: Identity,
    usable: Sequence[UsableImage],
    faces: Sequence[Face | None],
    rejected: Sequence[RejectedImage],
) -> Enrollment:
    enrolled, repeated = [], []
    for item, face in zip(usable, faces, strict=True):
        if face is not None:
            enrolled.append(EnrolledFace(face, item.image_index))
        else:
            repeated.append(_already_enrolled(item.image_index))
    in_order = sorted([*rejected, *repeated], key=lambda image: image.image_index)
    return Enrollment(identity, tuple(enrolled), tuple(in_order))
