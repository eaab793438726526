"""Collections: galleries that do not see each other."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app.api.bodies.request_body import Body, documented_body
from app.api.deps import CollectionPath, ServicesDep
from app.api.idempotency import IdempotencyKey, answer_once
from app.api.problems import documented
from app.api.schemas.collections import (
    CollectionBody,
    CollectionPage,
    NewCollectionBody,
    PatchCollectionBody,
)
from app.api.schemas.parts.erasure import ErasureBody, ErasureQuery
from app.api.schemas.parts.pages import PageQuery
from app.errors import InvalidRequest
from app.gallery.records import Collection
from app.gallery.store.idempotency import Once
from app.runtime.threads import reading, threads, work_of_erasure, writing
from app.services import Services

router = APIRouter(prefix="/collections", tags=["collections"])


@router.post(
    "",
    status_code=201,
    response_model=CollectionBody,
    responses=documented(409, 413, 415),
    openapi_extra=documented_body(NewCollectionBody),
)
async def create_collection(
    body: Annotated[NewCollectionBody, Depends(Body(NewCollectionBody))],
    services: ServicesDep,
    request: Request,
    key: IdempotencyKey = None,
) -> Response:
    """Create an empty collection for the service's embedder."""

    async def create(once: Once[Collection] | None) -> Collection:
        return await writing(
            services.gallery.create_collection, body.name, body.description, once=once
        )

    return await answer_once(
        request, key, body, services.gallery, create, lambda made: (201, CollectionBody.of(made))
    )


@router.get("")
async def list_collections(
    services: ServicesDep, query: Annotated[PageQuery, Query()]
) -> CollectionPage:
    """List collections, oldest first."""
    page = await reading(services.gallery.list_collections, limit=query.limit, cursor=query.cursor)
    return CollectionPage(
        collections=[CollectionBody.of(item) for item in page.items], next_cursor=page.next_cursor
    )


@router.get("/{collection}", responses=documented(404))
async def get_collection(collection: CollectionPath, services: ServicesDep) -> CollectionBody:
    """Tell how many people and faces a collection has, and of which embedder."""
    return CollectionBody.of(await reading(services.gallery.get_collection, collection))


@router.patch(
    "/{collection}",
    responses=documented(404, 413, 415),
    openapi_extra=documented_body(PatchCollectionBody),
)
async def update_collection(
    collection: CollectionPath,
    body: Annotated[PatchCollectionBody, Depends(Body(PatchCollectionBody))],
    services: ServicesDep,
) -> CollectionBody:
    """Change a collection's description, or what it does otherwise than the settings say."""
    if body.options.crops.keep:
        _require_crops_key(services)
    # The crops that are kept no longer are overwritten in the database's files at once.
    work = work_of_erasure(compact=body.options.crops.keep is False)
    changed = await threads().run(
        work, services.gallery.update_collection, collection, body.changes()
    )
    return CollectionBody.of(changed)


@router.delete("/{collection}", responses=documented(404))
async def delete_collection(
    collection: CollectionPath, services: ServicesDep, query: Annotated[ErasureQuery, Query()]
) -> ErasureBody:
    """Delete a collection and everybody in it. `default` is there again, empty, at once."""
    return ErasureBody.of(
        await threads().run(
            work_of_erasure(compact=query.compact),
            services.gallery.delete_collection,
            collection,
            compact=query.compact,
        )
    )


def _require_crops_key(services: Services) -> None:
    if services.settings.crops_key is None:
        raise InvalidRequest(
            "options.crops.keep needs a key to encrypt them with; start the service with "
            "VULTUS_CROPS_KEY"
        )
