"""Faces: the enrolled examples of a person."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app.api.answers import page_answer
from app.api.bodies.request_body import Body, documented_body
from app.api.deps import CollectionPath, FacePath, IdentityPath, ServicesDep
from app.api.idempotency import IdempotencyKey, answer_once
from app.api.problems import documented
from app.api.schemas.faces import AddFacesBody, FaceBody, FacePage
from app.api.schemas.parts.enrolment import EnrollmentBody
from app.api.schemas.parts.erasure import ErasureBody, ErasureQuery
from app.api.schemas.parts.pages import PageQuery
from app.gallery.store.idempotency import Once
from app.operations.enroll.enroller import Enrollment
from app.runtime.threads import reading, threads, work_of_erasure

router = APIRouter(
    prefix="/collections/{collection}/identities/{identity_id}/faces", tags=["faces"]
)


@router.post(
    "",
    status_code=201,
    response_model=EnrollmentBody,
    responses={
        200: {"description": "All of it was enrolled before.", "model": EnrollmentBody},
        **documented(404, 409, 413, 415),
    },
    openapi_extra=documented_body(AddFacesBody),
)
async def add_faces(
    collection: CollectionPath,
    identity_id: IdentityPath,
    body: Annotated[AddFacesBody, Depends(Body(AddFacesBody))],
    services: ServicesDep,
    request: Request,
    key: IdempotencyKey = None,
) -> Response:
    """Enroll more photos of a person.

    A photo that is enrolled already is answered with its face; when all are, with status 200. One
    that does not look like the person's other faces, or looks more like somebody else, is rejected
    unless `force` is sent.
    """

    async def add(once: Once[Enrollment] | None) -> Enrollment:
        done = await services.enroll.add_faces(
            collection,
            identity_id,
            body.images,
            body.options(),
            once=once,
        )
        services.metrics.count_enrollment(faces=done.new_face_count, reasons=done.rejection_reasons)
        return done

    def told(done: Enrollment) -> tuple[int, EnrollmentBody]:
        return (201 if done.new_face_count else 200), EnrollmentBody.of(done)

    return await answer_once(request, key, body, services.gallery, add, told)


@router.get("", response_model=FacePage, responses=documented(404))
async def list_faces(
    collection: CollectionPath,
    identity_id: IdentityPath,
    services: ServicesDep,
    query: Annotated[PageQuery, Query()],
) -> Response:
    """List a person's faces, oldest first."""
    page = await reading(
        services.gallery.list_faces, collection, identity_id, limit=query.limit, cursor=query.cursor
    )
    return await page_answer(
        lambda: FacePage(
            faces=[FaceBody.of(item) for item in page.items], next_cursor=page.next_cursor
        )
    )


@router.delete("/{face_id}", responses=documented(404))
async def delete_face(
    collection: CollectionPath,
    identity_id: IdentityPath,
    face_id: FacePath,
    services: ServicesDep,
    query: Annotated[ErasureQuery, Query()],
) -> ErasureBody:
    """Remove one face. The person stays, even without any."""
    return ErasureBody.of(
        await threads().run(
            work_of_erasure(compact=query.compact),
            services.gallery.delete_face,
            collection,
            identity_id,
            face_id,
            compact=query.compact,
        )
    )
