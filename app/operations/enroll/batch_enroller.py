"""Enroll many people, each with a result of their own."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

import numpy as np

from app.errors import InputError, NoUsableImage, RejectedImage, WrongPerson
from app.gallery.gallery import Gallery
from app.gallery.people.enrolment import BulkOutcome, NewPerson
from app.gallery.records import NewFace, NewIdentity
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.enroll.enroller import (
    WRONG_PERSON,
    Enroller,
    ExaminedImages,
    PassedOverFace,
    in_order,
)
from app.operations.enroll.guard_lookup import Guards, refused, retry_after_switch
from app.operations.identify.unit_embedding import unit_embedding
from app.runtime.gather import together
from app.runtime.threads import Work, reading, threads


class ItemStatus(StrEnum):
    ENROLLED = "enrolled"
    EXISTS = "exists"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class BatchItem:
    """A person with photos, embeddings of the service's embedder (of any length), or both.

    `guarded`: whether the guards look at the faces; None: if there are photos.
    """

    identity: NewIdentity
    images: tuple[bytes, ...]
    embeddings: tuple[Sequence[float], ...]
    options: EnrollOptions
    guarded: bool | None = None

    @property
    def is_guarded(self) -> bool:
        if self.identity.anonymous:
            return False
        return bool(self.images) if self.guarded is None else self.guarded


@dataclass(frozen=True, slots=True)
class ItemResult:
    """The result of an item. `error` says why it was rejected; `images` are its rejected photos,
    also when others were enrolled."""

    status: ItemStatus
    identity_id: str | None = None
    face_count: int = 0
    revision: int | None = None
    error: InputError | WrongPerson | None = None
    images: tuple[RejectedImage, ...] = ()
    passed_over: tuple[PassedOverFace, ...] = ()
    """Other faces of the photos that were used."""


class BatchEnroller:
    """Enrolls batches. A person with an external_id is enrolled once, however often they are sent:
    a batch that was interrupted is sent again."""

    def __init__(self, enroller: Enroller, gallery: Gallery, guards: Guards) -> None:
        self._enroller = enroller
        self._gallery = gallery
        self._guards = guards

    async def enroll(self, collection: str, items: Sequence[BatchItem]) -> list[ItemResult]:
        """Enroll in one transaction. Raises CollectionNotFound and EmbedderMismatch."""
        external_ids = [item.identity.external_id for item in items if item.identity.external_id]
        known = await reading(self._gallery.people.ids_of, collection, external_ids)
        turns = self._enroller.turns()
        keep_crops = await self._enroller.keeps_crops(collection)
        examined = await together(
            self._examine(collection, item, known, turns, keep_crops=keep_crops) for item in items
        )
        usable = [one for one in examined if isinstance(one, _Usable)]
        write = partial(self._write, collection, usable)
        written = iter(await threads().run(Work.BULK, retry_after_switch, write) if usable else ())
        return [
            one if isinstance(one, ItemResult) else one.result(next(written)) for one in examined
        ]

    def _write(self, collection: str, people: Sequence["_Usable"]) -> list[BulkOutcome]:
        guarded = [one for one in people if one.item.is_guarded]
        guards = iter(
            self._guards.look_for_many(
                collection, [(one.person.faces, one.item.options) for one in guarded]
            )
        )
        new = [
            replace(one.person, guard=next(guards)) if one.item.is_guarded else one.person
            for one in people
        ]
        return self._gallery.people.enroll_many(collection, new)

    async def _examine(
        self,
        collection: str,
        item: BatchItem,
        known: dict[str, str],
        turns: asyncio.Semaphore,
        *,
        keep_crops: bool,
    ) -> "_Usable | ItemResult":
        before = known.get(item.identity.external_id or "")
        if before is not None:  # the photos need not be examined again
            return ItemResult(ItemStatus.EXISTS, before)
        try:
            faces = [self._face(values) for values in item.embeddings]
            examined = await self._enroller.examine(
                collection, item.images, item.options, turns=turns, keep_crops=keep_crops
            )
        except NoUsableImage as error:
            return rejected_item(error, error.rejected)
        except InputError as error:
            return rejected_item(error)
        return _Usable(item, NewPerson(item.identity, (*faces, *examined.faces)), examined)

    def _face(self, values: Sequence[float]) -> NewFace:
        embedding = unit_embedding(values, dimension=self._gallery.model.dimension)
        digest = hashlib.sha256(np.ascontiguousarray(embedding, dtype="<f4").tobytes())
        return NewFace(embedding, None, None, None, digest.hexdigest())


@dataclass(frozen=True, slots=True)
class _Usable:
    """An item with a person to enroll: the faces of the embeddings, then those of the images."""

    item: BatchItem
    person: NewPerson
    examined: ExaminedImages

    def result(self, outcome: BulkOutcome) -> ItemResult:
        places = (
            *(None for _ in self.item.embeddings),
            *(image.image_index for image in self.examined.usable),
        )
        by_guard = [
            replace(refused(refusal, place), embedding_index=number if place is None else None)
            for number, (refusal, place) in enumerate(zip(outcome.refused, places, strict=False))
            if refusal is not None
        ]
        images = in_order([*self.examined.rejected, *by_guard])
        if outcome.error is not None:
            return rejected_item(outcome.error, images)
        if outcome.identity_id is None:
            return rejected_item(WrongPerson(WRONG_PERSON, images), images)
        return ItemResult(
            ItemStatus.ENROLLED if outcome.enrolled else ItemStatus.EXISTS,
            outcome.identity_id,
            outcome.face_count,
            outcome.revision,
            images=images,
            passed_over=self.examined.passed_over if outcome.enrolled else (),
        )


def rejected_item(
    error: InputError | WrongPerson, images: tuple[RejectedImage, ...] = ()
) -> ItemResult:
    return ItemResult(ItemStatus.REJECTED, error=error, images=tuple(images))
