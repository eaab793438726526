"""The gallery doctor."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.api.answers import page_answer
from app.api.deps import CollectionPath, ServicesDep
from app.api.problems import documented
from app.api.schemas.doctor import DoctorAnswer, DoctorQuery

router = APIRouter(prefix="/collections/{collection}", tags=["collections"])


@router.get("/doctor", response_model=DoctorAnswer, responses=documented(404, 409))
async def examine(
    collection: CollectionPath, services: ServicesDep, query: Annotated[DoctorQuery, Query()]
) -> Response:
    """Look for photos under the wrong person, people under two names, outliers and look-alikes.

    Goes through the people in the order of their enrolment, a page at a time; follow `next_cursor`
    until it is null. Nothing is changed; `action` of a finding is the request that would.
    """
    page = await services.examine_gallery.page(
        collection, limit=query.limit, cursor=query.cursor, within_s=query.within_s
    )
    return await page_answer(lambda: DoctorAnswer.of(page, collection))
