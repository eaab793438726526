"""Corrections of a gallery: move a face; delete faces, and people."""

from collections.abc import Callable, Sequence

from app.errors import WrongPerson
from app.gallery.people.correction_records import FacesDeletion, MovedFace, PeopleDeletion
from app.gallery.people.corrections import Corrections
from app.gallery.people.enrolment_guards import EveryFaceRefusedError
from app.gallery.people.gallery_faces import GalleryFaces
from app.gallery.records import EVERYBODY, Identity, NewIdentity, PeopleFilter
from app.gallery.store.idempotency import Once
from app.observe import request_scope
from app.operations.enroll.enroller import WRONG_PERSON
from app.operations.enroll.guard_lookup import Guards, refused, retry_after_switch
from app.runtime.threads import reading, threads, work_of_erasure, writing


class GalleryCorrector:
    """Corrects a gallery. No method blocks."""

    def __init__(self, corrections: Corrections, faces: GalleryFaces, guards: Guards) -> None:
        self._corrections = corrections
        self._faces = faces
        self._guards = guards

    async def move_face(
        self,
        collection: str,
        face_id: str,
        who: NewIdentity | str,
        *,
        force: bool = False,
        if_revision: int | None = None,
        once: Once[MovedFace] | None = None,
    ) -> MovedFace:
        """Give a face to another person, or to a new one, with the guards of an enrolment.

        With `force`, a face that the guards refuse is moved, too. Raises as `Corrections.move_face`
        does, and WrongPerson when the guards refuse the face.
        """

        def move() -> MovedFace:
            request_scope.require_time()
            ref = who if isinstance(who, str) else None
            guard = self._guards.look_at_enrolled(collection, face_id, ref, force=force)
            return self._corrections.move_face(
                collection, face_id, who, guard=guard, if_revision=if_revision, once=once
            )

        try:
            return await writing(retry_after_switch, move)
        except EveryFaceRefusedError as error:
            rejected = [refused(refusal, None) for refusal in error.refusals]
            raise WrongPerson(WRONG_PERSON, rejected) from error

    async def delete_faces(
        self,
        collection: str,
        face_ids: Sequence[str],
        *,
        spare: Callable[[Identity], bool] | None = None,
        compact: bool = False,
        once: Once[FacesDeletion] | None = None,
    ) -> FacesDeletion:
        """Delete faces by their ids alone; see `GalleryFaces.delete_listed`."""
        return await threads().run(
            work_of_erasure(compact=compact),
            self._faces.delete_listed,
            collection,
            face_ids,
            spare=spare,
            compact=compact,
            once=once,
        )

    async def delete_people(
        self,
        collection: str,
        wanted: PeopleFilter,
        *,
        confirmed: int | None,
        if_revision: int | None = None,
        compact: bool = False,
        once: Once[PeopleDeletion] | None = None,
    ) -> PeopleDeletion:
        """Delete the people that a filter selects; without a `confirmed` count, only count them.

        More than MOST_DELETED only if the filter selects everybody.
        """
        if confirmed is None:
            count = await reading(self._corrections.count, collection, wanted)
            return PeopleDeletion(count)
        if wanted == EVERYBODY:
            return await self.delete_everybody(
                collection,
                confirmed=confirmed,
                if_revision=if_revision,
                compact=compact,
                once=once,
            )
        return await threads().run(
            work_of_erasure(compact=compact),
            self._corrections.delete_people,
            collection,
            wanted,
            confirmed=confirmed,
            if_revision=if_revision,
            compact=compact,
            once=once,
        )

    async def delete_everybody(
        self,
        collection: str,
        *,
        wanted: PeopleFilter = EVERYBODY,
        confirmed: int | None = None,
        if_revision: int | None = None,
        compact: bool = False,
        once: Once[PeopleDeletion] | None = None,
    ) -> PeopleDeletion:
        """Delete all people whom a filter finds; see `Corrections.delete_everybody`."""
        return await threads().run(
            work_of_erasure(compact=compact),
            self._corrections.delete_everybody,
            collection,
            wanted=wanted,
            confirmed=confirmed,
            if_revision=if_revision,
            compact=compact,
            once=once,
        )
