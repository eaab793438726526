"""Collections: galleries that do not see each other."""

from app.api.deps import CallerDep, CollectionPath, ServicesDep
from app.api.endpoint import Asked, Endpoints, OnceDep, Sent
from app.api.erasing import erase
from app.api.granted import ANY_KEY
from app.api.schemas.collections import (
    CollectionBody,
    CollectionPage,
    CollectionsQuery,
    NewCollectionBody,
    PatchCollectionBody,
)
from app.api.schemas.parts.collection_options import OptionsBody
from app.api.schemas.parts.erasure import ErasureBody, ErasureQuery
from app.errors import InvalidRequest
from app.gallery.keys.rights import Right
from app.gallery.records import Collection, Erasure, Page
from app.runtime.threads import reading, threads, work_of_erasure, writing
from app.services import Services

router = Endpoints("/collections", tag="collections")


@router.endpoint("POST", "", CollectionBody, right=Right.ADMIN, status=201, problems=[409])
async def create_collection(
    body: Sent[NewCollectionBody], services: ServicesDep, caller: CallerDep, once: OnceDep
) -> Collection:
    """Create an empty collection for the service's embedder."""
    caller.require_own(body.name)
    return await writing(
        services.gallery.collections.create, body.name, body.description, once=once
    )


@router.endpoint("GET", "", CollectionPage, right=ANY_KEY, large=True)
async def list_collections(
    services: ServicesDep, caller: CallerDep, query: Asked[CollectionsQuery]
) -> Page[Collection]:
    """List collections that the key may see, oldest first; with `q`, those whose names begin so."""
    return await reading(
        services.gallery.collections.page,
        query.q,
        limit=query.limit,
        cursor=query.cursor,
        among=caller.collections,
    )


@router.endpoint("GET", "/{collection}", CollectionBody, right=ANY_KEY)
async def get_collection(collection: CollectionPath, services: ServicesDep) -> Collection:
    """Return a collection: its options, its embedder, and how many people and faces it has."""
    return await reading(services.gallery.collections.get, collection)


@router.endpoint("PATCH", "/{collection}", CollectionBody, right=Right.ADMIN, problems=[409])
async def update_collection(
    collection: CollectionPath, body: Sent[PatchCollectionBody], services: ServicesDep
) -> Collection:
    """Change a collection's description, or its options, which override the settings."""
    crops = _options_of_crops(body.options)
    for option, wanted in crops.items():
        if wanted:
            _require_crops_key(services, option)
    # Crops that are no longer kept are overwritten in the database's files at once.
    work = work_of_erasure(compact=not all(crops.values()))
    return await threads().run(
        work, services.gallery.collections.update, collection, body.changes()
    )


@router.endpoint("DELETE", "/{collection}", ErasureBody, right=Right.ADMIN, problems=[409])
async def delete_collection(
    collection: CollectionPath, services: ServicesDep, query: Asked[ErasureQuery]
) -> Erasure:
    """Delete a collection and all people in it. `default` exists again at once, empty."""
    return await erase(query, services.gallery.collections.delete, collection)


def _options_of_crops(options: OptionsBody) -> dict[str, bool]:
    """The options about crops that were sent; null is the default, false."""
    sent = {
        "crops.keep": (options.crops, "keep"),
        "unknowns.crops": (options.unknowns, "crops"),
    }
    return {
        option: bool(getattr(group, name))
        for option, (group, name) in sent.items()
        if name in group.model_fields_set
    }


def _require_crops_key(services: Services, option: str) -> None:
    if services.settings.crops_key is None and not services.database.vault.is_on:
        raise InvalidRequest(
            f"options.{option} needs a key to encrypt crops with; start the service with "
            "VULTUS_CROPS_KEY or VULTUS_MASTER_KEY_FILE"
        )
