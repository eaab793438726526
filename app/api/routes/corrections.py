"""Corrections of a gallery: people who are one, faces of another person, many people at once."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.api.bodies.request_body import Body, documented_body
from app.api.deps import CollectionPath, FacePath, ServicesDep
from app.api.idempotency import IdempotencyKey, answer_once
from app.api.path_parts import BEFORE_COLON
from app.api.problems import documented
from app.api.schemas.faces import MoveFaceAnswer, MoveFaceBody
from app.api.schemas.identities import DeletePeopleAnswer, DeletePeopleBody, MergeAnswer, MergeBody
from app.gallery.people.correction_records import Merged, MovedFace, PeopleDeletion
from app.gallery.store.idempotency import Once

router = APIRouter(prefix="/collections/{collection}")


@router.post(
    "/identities:merge",
    tags=["identities"],
    response_model=MergeAnswer,
    responses=documented(404, 409, 413, 415),
    openapi_extra=documented_body(MergeBody),
)
async def merge_identities(
    collection: CollectionPath,
    body: Annotated[MergeBody, Depends(Body(MergeBody))],
    services: ServicesDep,
    request: Request,
    key: IdempotencyKey = None,
) -> Response:
    """Make people one person: `into` stays, those of `from` become part of them.

    All their faces are `into`'s. Of `into` every field stays; missing ones are taken over from the
    first of `from` that has them, attributes key by key. The earliest `expires_at` and the highest
    `threshold` count. The same picture is kept once. No guard is asked, and there is no way back.
    """

    async def merge(once: Once[Merged] | None) -> Merged:
        return await services.correct.merge(
            collection, body.into, body.sources, if_revision=body.if_revision, once=once
        )

    return await answer_once(
        request, key, body, services.gallery, merge, lambda done: (200, MergeAnswer.of(done))
    )


@router.post(
    f"/faces/{{face_id:{BEFORE_COLON}}}:move",
    tags=["faces"],
    response_model=MoveFaceAnswer,
    responses={
        201: {"description": "Moved to a new person.", "model": MoveFaceAnswer},
        **documented(404, 409, 413, 415),
    },
    openapi_extra=documented_body(MoveFaceBody),
)
async def move_face(
    collection: CollectionPath,
    face_id: FacePath,
    body: Annotated[MoveFaceBody, Depends(Body(MoveFaceBody))],
    services: ServicesDep,
    request: Request,
    key: IdempotencyKey = None,
) -> Response:
    """Give a face to the person whom it shows, or to a new one.

    The guards look at it as at a new photo of that person: one that looks like somebody else, or
    unlike the person's other faces, is refused unless `force` is sent. The person before stays,
    also without a face.
    """

    async def move(once: Once[MovedFace] | None) -> MovedFace:
        return await services.correct.move_face(
            collection,
            face_id,
            body.who(),
            force=body.force,
            if_revision=body.if_revision,
            once=once,
        )

    def answered(done: MovedFace) -> tuple[int, MoveFaceAnswer]:
        return (201 if done.is_new_person else 200), MoveFaceAnswer.of(done)

    return await answer_once(request, key, body, services.gallery, move, answered)


@router.post(
    "/identities:delete",
    tags=["identities"],
    response_model=DeletePeopleAnswer,
    responses=documented(404, 409, 413, 415),
    openapi_extra=documented_body(DeletePeopleBody),
)
async def delete_identities(
    collection: CollectionPath,
    body: Annotated[DeletePeopleBody, Depends(Body(DeletePeopleBody))],
    services: ServicesDep,
    request: Request,
    key: IdempotencyKey = None,
) -> Response:
    """Delete the people whom a filter finds, with all their faces; at most 10,000 at once.

    Without `confirm_count` nothing is deleted, and the answer says how many there are. Sent again
    with this number, they are deleted if they are still as many.
    """

    async def delete(once: Once[PeopleDeletion] | None) -> PeopleDeletion:
        return await services.correct.delete_people(
            collection,
            body.filter.people(),
            confirmed=body.confirm_count,
            if_revision=body.if_revision,
            compact=body.compact,
            once=once,
        )

    return await answer_once(
        request,
        None if body.confirm_count is None else key,  # to count changes nothing
        body,
        services.gallery,
        delete,
        lambda done: (200, DeletePeopleAnswer.of(done)),
    )
