"""Identities: the people of a collection."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app.api.answers import page_answer
from app.api.bodies.request_body import Body, documented_body
from app.api.deps import CollectionPath, IdentityPath, ServicesDep
from app.api.idempotency import IdempotencyKey, answer_once
from app.api.problems import documented
from app.api.schemas.identities import EnrollBody, IdentityPage, IdentityQuery, PatchIdentityBody
from app.api.schemas.parts.enrolment import EnrollmentBody
from app.api.schemas.parts.erasure import ErasureBody, ErasureQuery
from app.api.schemas.parts.person import IdentityBody
from app.gallery.records import UNSET, IdentityChanges, NewIdentity
from app.gallery.store.idempotency import Once
from app.operations.enroll.enroller import Enrollment
from app.runtime.threads import reading, threads, work_of_erasure, writing

router = APIRouter(prefix="/collections/{collection}/identities", tags=["identities"])


@router.post(
    "",
    status_code=201,
    response_model=EnrollmentBody,
    responses=documented(404, 409, 413, 415),
    openapi_extra=documented_body(EnrollBody),
)
async def enroll(
    collection: CollectionPath,
    body: Annotated[EnrollBody, Depends(Body(EnrollBody))],
    services: ServicesDep,
    request: Request,
    key: IdempotencyKey = None,
) -> Response:
    """Enroll a person from photos of one face each.

    Photos that cannot be used are listed in `rejected` with reasons; when none can, the answer is
    422 and nothing is created. So are photos that seem to be of somebody enrolled already, or of
    several people, unless `force` is sent; when that leaves none, the answer is 409.
    """
    new = NewIdentity(
        name=body.name,
        external_id=body.external_id,
        attributes=body.attributes,
        expires_at=body.expires_at,
        threshold=body.threshold,
    )

    async def create(once: Once[Enrollment] | None) -> Enrollment:
        done = await services.enroll.create(
            collection,
            new,
            body.images,
            body.options(),
            once=once,
        )
        services.metrics.count_enrollment(faces=done.new_face_count, reasons=done.rejection_reasons)
        return done

    return await answer_once(
        request, key, body, services.gallery, create, lambda done: (201, EnrollmentBody.of(done))
    )


@router.get("", response_model=IdentityPage, responses=documented(404))
async def list_identities(
    collection: CollectionPath,
    services: ServicesDep,
    query: Annotated[IdentityQuery, Query()],
) -> Response:
    """List people, oldest first; those whose name or external_id begins in some way, if asked."""
    page = await reading(
        services.gallery.list_identities,
        collection,
        query.wanted(),
        limit=query.limit,
        cursor=query.cursor,
    )
    return await page_answer(
        lambda: IdentityPage(
            identities=[IdentityBody.of(item) for item in page.items], next_cursor=page.next_cursor
        )
    )


@router.get("/{identity_id}", responses=documented(404))
async def get_identity(
    collection: CollectionPath, identity_id: IdentityPath, services: ServicesDep
) -> IdentityBody:
    """Tell about one person."""
    return IdentityBody.of(await reading(services.gallery.get_identity, collection, identity_id))


@router.patch(
    "/{identity_id}",
    responses=documented(404, 409, 413, 415),
    openapi_extra=documented_body(PatchIdentityBody),
)
async def update_identity(
    collection: CollectionPath,
    identity_id: IdentityPath,
    body: Annotated[PatchIdentityBody, Depends(Body(PatchIdentityBody))],
    services: ServicesDep,
) -> IdentityBody:
    """Change name, external_id or attributes; what is left out stays."""
    sent = body.model_fields_set
    changes = IdentityChanges(
        name=body.name if "name" in sent else UNSET,
        external_id=body.external_id if "external_id" in sent else UNSET,
        attributes=body.attributes if "attributes" in sent else UNSET,
        expires_at=body.expires_at if "expires_at" in sent else UNSET,
        threshold=body.threshold if "threshold" in sent else UNSET,
    )
    return IdentityBody.of(
        await writing(services.gallery.update_identity, collection, identity_id, changes)
    )


@router.delete("/{identity_id}", responses=documented(404))
async def delete_identity(
    collection: CollectionPath,
    identity_id: IdentityPath,
    services: ServicesDep,
    query: Annotated[ErasureQuery, Query()],
) -> ErasureBody:
    """Remove a person with all their faces. From this answer on, nobody finds them."""
    return ErasureBody.of(
        await threads().run(
            work_of_erasure(compact=query.compact),
            services.gallery.delete_identity,
            collection,
            identity_id,
            compact=query.compact,
        )
    )
