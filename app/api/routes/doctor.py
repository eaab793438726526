"""The gallery doctor."""

import asyncio

from app.api.deps import CollectionPath, ServicesDep
from app.api.endpoint import Asked, Endpoints
from app.api.schemas.doctor import DoctorAnswer, DoctorQuery

router = Endpoints("/collections/{collection}", tag="collections")


@router.endpoint("GET", "/doctor", DoctorAnswer, problems=[409], large=True)
async def examine_collection(
    collection: CollectionPath, services: ServicesDep, query: Asked[DoctorQuery]
) -> DoctorAnswer:
    """Find photos under the wrong person, people under two names, outliers and look-alikes.

    The people are examined in the order of their enrolment, a page at a time; follow `next_cursor`
    until it is null. Nothing is changed; `action` of a finding is the request that corrects it.
    """
    page = await services.examine_gallery.page(
        collection, limit=query.limit, cursor=query.cursor, within_s=query.within_s
    )
    return await asyncio.to_thread(DoctorAnswer.page, page, collection)
