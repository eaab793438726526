"""CreateCollection, DescribeCollection, ListCollections and DeleteCollection."""

from app.api.erasing import erase
from app.api.granted import ANY_KEY
from app.api.schemas.parts.erasure import ErasureQuery
from app.compat.rekognition.model_version import model_version
from app.compat.rekognition.operation import Call, operation
from app.compat.rekognition.paging import pages_of
from app.compat.rekognition.schemas.collections import (
    CreateCollectionInput,
    CreateCollectionOutput,
    DeleteCollectionInput,
    DeleteCollectionOutput,
    DescribeCollectionInput,
    DescribeCollectionOutput,
    ListCollectionsInput,
    ListCollectionsOutput,
)
from app.gallery.keys.rights import Right
from app.runtime.threads import reading, writing

_MOST = 4_096
_ACCOUNT = "000000000000"


def _resource_name(region: str, collection: str) -> str:
    """The name that programs keep; AWS' own has `arn:` before it in one answer of two."""
    return f"aws:rekognition:{region}:{_ACCOUNT}:collection/{collection}"


@operation("CreateCollection", CreateCollectionInput, right=Right.ADMIN)
async def create_collection(call: Call[CreateCollectionInput]) -> CreateCollectionOutput:
    """Create an empty collection. Tags are accepted and not kept."""
    name = call.body.collection_id
    made = await writing(call.services.gallery.collections.create, name, None)
    return CreateCollectionOutput(
        collection_arn=_resource_name(call.region, name),
        face_model_version=model_version(made.digest),
    )


@operation("DescribeCollection", DescribeCollectionInput, right=ANY_KEY)
async def describe_collection(call: Call[DescribeCollectionInput]) -> DescribeCollectionOutput:
    """Return how many faces and users a collection has."""
    name = call.body.collection_id
    found = await reading(call.services.gallery.collections.get, name)
    return DescribeCollectionOutput(
        face_count=found.face_count,
        user_count=found.identity_count,
        face_model_version=model_version(found.digest),
        collection_arn=f"arn:{_resource_name(call.region, name)}",
        creation_timestamp=round(found.created_at.timestamp(), 3),
    )


@operation("ListCollections", ListCollectionsInput, right=ANY_KEY)
async def list_collections(call: Call[ListCollectionsInput]) -> ListCollectionsOutput:
    """List the collections that the caller may see, oldest first."""
    with pages_of(call.body.max_results, _MOST) as limit:
        page = await reading(
            call.services.gallery.collections.page,
            limit=limit,
            cursor=call.body.next_token,
            among=call.caller.collections,
        )
    return ListCollectionsOutput(
        collection_ids=[found.name for found in page.items],
        face_model_versions=[model_version(found.digest) for found in page.items],
        next_token=page.next_cursor,
    )


@operation("DeleteCollection", DeleteCollectionInput, right=Right.ADMIN)
async def delete_collection(call: Call[DeleteCollectionInput]) -> DeleteCollectionOutput:
    """Delete a collection with everything in it."""
    name = call.body.collection_id
    await erase(ErasureQuery(), call.services.gallery.collections.delete, name)
    return DeleteCollectionOutput()
