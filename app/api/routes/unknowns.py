"""The inbox: faces that nobody enrolled matched, in groups."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from app.api.answers import page_answer
from app.api.bodies.request_body import Body, documented_body
from app.api.deps import CollectionPath, FacePath, GroupPath, ServicesDep
from app.api.path_parts import BEFORE_COLON
from app.api.problems import documented
from app.api.schemas.parts.enrolment import EnrollmentBody
from app.api.schemas.parts.erasure import ErasureQuery
from app.api.schemas.unknowns import (
    MergeUnknownsBody,
    NameUnknownBody,
    SplitUnknownBody,
    UnknownErasureBody,
    UnknownFaceBody,
    UnknownGroupAnswer,
    UnknownGroupBody,
    UnknownGroupPage,
    UnknownQuery,
)
from app.runtime.threads import reading, threads, work_of_erasure, writing

_GROUP = f"/{{group_id:{BEFORE_COLON}}}"

router = APIRouter(prefix="/collections/{collection}/unknowns", tags=["unknowns"])


@router.get("", response_model=UnknownGroupPage, responses=documented(404))
async def list_unknowns(
    collection: CollectionPath,
    services: ServicesDep,
    query: Annotated[UnknownQuery, Query()],
) -> Response:
    """List the groups of faces that nobody enrolled matched, newest or largest first.

    Empty unless the collection's options say `unknowns.keep`.
    """
    page = await reading(
        services.unknowns.list_groups,
        collection,
        query.order,
        min_count=query.min_count,
        limit=query.limit,
        cursor=query.cursor,
    )
    return await page_answer(
        lambda: UnknownGroupPage(
            groups=[UnknownGroupBody.of(item) for item in page.items], next_cursor=page.next_cursor
        )
    )


@router.get(_GROUP, response_model=UnknownGroupAnswer, responses=documented(404))
async def get_unknown(
    collection: CollectionPath, group_id: GroupPath, services: ServicesDep
) -> Response:
    """Show a group with its faces."""
    group, faces = await reading(services.unknowns.get_group, collection, group_id)
    return await page_answer(
        lambda: UnknownGroupAnswer(
            **UnknownGroupBody.of(group).model_dump(), faces=[UnknownFaceBody.of(f) for f in faces]
        )
    )


@router.post(
    f"{_GROUP}:name",
    status_code=201,
    responses=documented(404, 409, 413, 415),
    openapi_extra=documented_body(NameUnknownBody),
)
async def name_unknown(
    collection: CollectionPath,
    group_id: GroupPath,
    body: Annotated[NameUnknownBody, Depends(Body(NameUnknownBody))],
    services: ServicesDep,
) -> EnrollmentBody:
    """Enroll a group as a new person, or as more faces of one; they leave the inbox with it.

    `image_index` counts the faces, oldest first.
    """
    done = await services.name_unknown.name(collection, group_id, body.who(), body.face_ids)
    services.metrics.count_enrollment(faces=done.new_face_count, reasons=done.rejection_reasons)
    return EnrollmentBody.of(done)


@router.post(
    ":merge",
    responses=documented(404, 413, 415),
    openapi_extra=documented_body(MergeUnknownsBody),
)
async def merge_unknowns(
    collection: CollectionPath,
    body: Annotated[MergeUnknownsBody, Depends(Body(MergeUnknownsBody))],
    services: ServicesDep,
) -> UnknownGroupBody:
    """Make one group of several; it keeps the id of the oldest."""
    return UnknownGroupBody.of(await writing(services.unknowns.merge, collection, body.group_ids))


@router.post(
    f"{_GROUP}:split",
    status_code=201,
    responses=documented(404, 413, 415),
    openapi_extra=documented_body(SplitUnknownBody),
)
async def split_unknown(
    collection: CollectionPath,
    group_id: GroupPath,
    body: Annotated[SplitUnknownBody, Depends(Body(SplitUnknownBody))],
    services: ServicesDep,
) -> UnknownGroupBody:
    """Move some faces of a group into a new one, which is answered."""
    return UnknownGroupBody.of(
        await writing(services.unknowns.split, collection, group_id, body.face_ids)
    )


@router.delete(_GROUP, responses=documented(404))
async def dismiss_unknown(
    collection: CollectionPath,
    group_id: GroupPath,
    services: ServicesDep,
    query: Annotated[ErasureQuery, Query()],
) -> UnknownErasureBody:
    """Erase a group. The person begins a new one when they are seen again."""
    return UnknownErasureBody.of(
        await threads().run(
            work_of_erasure(compact=query.compact),
            services.unknowns.dismiss,
            collection,
            group_id,
            compact=query.compact,
        )
    )


@router.delete(f"{_GROUP}/faces/{{face_id}}", responses=documented(404))
async def dismiss_unknown_face(
    collection: CollectionPath,
    group_id: GroupPath,
    face_id: FacePath,
    services: ServicesDep,
    query: Annotated[ErasureQuery, Query()],
) -> UnknownErasureBody:
    """Erase one face of a group, and the group if it was the last."""
    return UnknownErasureBody.of(
        await threads().run(
            work_of_erasure(compact=query.compact),
            services.unknowns.dismiss_face,
            collection,
            group_id,
            face_id,
            compact=query.compact,
        )
    )
