"""Faces: the enrolled examples of a person."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.api.bodies import Body, documented_body
from app.api.deps import CollectionPath, FacePath, IdentityPath, ServicesDep
from app.api.problems import documented
from app.api.schemas.gallery import (
    AddFacesBody,
    EnrollmentBody,
    ErasureBody,
    ErasureQuery,
    FaceBody,
    FacePage,
    PageQuery,
)

router = APIRouter(
    prefix="/collections/{collection}/identities/{identity_id}/faces", tags=["faces"]
)


@router.post(
    "",
    status_code=201,
    responses=documented(404, 409, 413, 415),
    openapi_extra=documented_body(AddFacesBody),
)
async def add_faces(
    collection: CollectionPath,
    identity_id: IdentityPath,
    body: Annotated[AddFacesBody, Depends(Body(AddFacesBody))],
    services: ServicesDep,
) -> EnrollmentBody:
    """Enroll more photos of a person. A photo that is enrolled already is rejected as such."""
    done = await services.enroll.add_faces(
        collection, identity_id, body.images, body.faces, quality_filter=body.quality_filter
    )
    services.metrics.count_enrollment(faces=len(done.faces), reasons=done.rejection_reasons)
    return EnrollmentBody.of(done)


@router.get("", responses=documented(404))
async def list_faces(
    collection: CollectionPath,
    identity_id: IdentityPath,
    services: ServicesDep,
    query: Annotated[PageQuery, Query()],
) -> FacePage:
    """List a person's faces, oldest first."""
    page = await asyncio.to_thread(
        services.gallery.list_faces, collection, identity_id, limit=query.limit, cursor=query.cursor
    )
    return FacePage(faces=[FaceBody.of(item) for item in page.items], next_cursor=page.next_cursor)


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
        await asyncio.to_thread(
            services.gallery.delete_face,
            collection,
            identity_id,
            face_id,
            compact=query.compact,
        )
    )
