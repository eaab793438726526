"""Enroll many people, each with an outcome of their own."""

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
    PassedOverFace,
    in_order,
    passed_over_of,
)
from app.operations.enroll.guard_lookup import Guards, looking_again, refused
from app.operations.identify.unit_embedding import unit_embedding
from app.runtime.gather import together
from app.runtime.threads import Work, reading, threads


class ItemStatus(StrEnum):
    ENROLLED = "enrolled"
    EXISTS = "exists"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class BatchItem:
    """A person with photos, embeddings of the service's network (of any length), or both."""

    identity: NewIdentity
    images: tuple[bytes, ...]
    embeddings: tuple[Sequence[float], ...]
    options: EnrollOptions
    guarded: bool | None = None
    """Whether the guards are asked; None: for a person with photos."""


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of an item. `error` says why it was rejected; `images` which of its photos
    were, also when the others were enrolled."""

    status: ItemStatus
    identity_id: str | None = None
    face_count: int = 0
    revision: int | None = None
    error: InputError | WrongPerson | None = None
    images: tuple[RejectedImage, ...] = ()
    passed_over: tuple[PassedOverFace, ...] = ()
    """Faces that were on its photos beside those that are meant."""


class BatchEnroller:
    """Those who have an external_id are enrolled once, however often they are sent, so a batch that
    broke off is simply sent again."""

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
            self._examine(item, known, turns, keep_crops=keep_crops) for item in items
        )
        people = [found for found in examined if isinstance(found, _Usable)]
        write = partial(self._write, collection, people)
        done = iter(await threads().run(Work.BULK, looking_again, write) if people else ())
        results = []
        for found in examined:
            if isinstance(found, ItemResult):
                results.append(found)
                continue
            results.append(_result(found, next(done)))
        return results

    def _write(self, collection: str, people: Sequence["_Usable"]) -> list[BulkOutcome]:
        guarded = [found for found in people if found.guarded]
        guards = iter(
            self._guards.look_for_many(
                collection, [(found.person.faces, found.options) for found in guarded]
            )
        )
        new = [
            replace(found.person, guard=next(guards)) if found.guarded else found.person
            for found in people
        ]
        return self._gallery.people.enroll_many(collection, new)

    async def _examine(
        self,
        item: BatchItem,
        known: dict[str, str],
        turns: asyncio.Semaphore,
        *,
        keep_crops: bool,
    ) -> "_Usable | ItemResult":
        before = known.get(item.identity.external_id or "")
        if before is not None:  # their photos need not be looked at again
            return ItemResult(ItemStatus.EXISTS, before)
        try:
            faces = [self._face(values) for values in item.embeddings]
            usable, rejected = await self._enroller.examine(
                item.images, item.options, turns=turns, keep_crops=keep_crops
            )
        except NoUsableImage as error:
            return rejected_item(error, error.rejected)
        except InputError as error:
            return rejected_item(error)
        person = NewPerson(item.identity, (*faces, *(one.face for one in usable)))
        guarded = bool(item.images) if item.guarded is None else item.guarded
        places = (*[None] * len(faces), *(one.image_index for one in usable))
        return _Usable(
            person, tuple(rejected), places, guarded, item.options, passed_over_of(usable)
        )

    def _face(self, values: Sequence[float]) -> NewFace:
        embedding = unit_embedding(values, dimension=self._gallery.model.dimension)
        digest = hashlib.sha256(np.ascontiguousarray(embedding, dtype="<f4").tobytes())
        return NewFace(embedding, None, None, None, digest.hexdigest())


@dataclass(frozen=True, slots=True)
class _Usable:
    """`places` tells of each face from which image it is, None of an embedding."""

    person: NewPerson
    rejected: tuple[RejectedImage, ...]
    places: tuple[int | None, ...]
    guarded: bool
    options: EnrollOptions
    passed_over: tuple[PassedOverFace, ...]


def _result(found: _Usable, outcome: BulkOutcome) -> ItemResult:
    by_guard = [
        replace(refused(refusal, place), embedding_index=number if place is None else None)
        for number, (refusal, place) in enumerate(
            zip(outcome.refused, found.places, strict=False)  # the embeddings come first
        )
        if refusal is not None
    ]
    images = in_order([*found.rejected, *by_guard])
    if outcome.identity_id is None:
        return rejected_item(WrongPerson(WRONG_PERSON, images), images)
    return ItemResult(
        ItemStatus.ENROLLED if outcome.enrolled else ItemStatus.EXISTS,
        outcome.identity_id,
        outcome.face_count,
        outcome.revision,
        images=images,
        passed_over=found.passed_over if outcome.enrolled else (),
    )


def rejected_item(
    error: InputError | WrongPerson, images: tuple[RejectedImage, ...] = ()
) -> ItemResult:
    return ItemResult(ItemStatus.REJECTED, error=error, images=tuple(images))
