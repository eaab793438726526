"""The gallery doctor."""

import asyncio

from app.api.audited_reads import Reads
from app.api.deps import CollectionPath, ServicesDep
from app.api.endpoint import Asked, Endpoints, Sent
from app.api.schemas.doctor import (
    DismissalPage,
    DismissAnswer,
    DismissBody,
    DoctorAnswer,
    DoctorQuery,
    RestoreAnswer,
)
from app.api.schemas.parts.pages import PageQuery
from app.gallery.dismissals import Dismissal
from app.gallery.journal.actions import Action
from app.gallery.keys.rights import Right
from app.gallery.records import Page
from app.runtime.threads import reading, writing

router = Endpoints("/collections/{collection}", tag="collections")


@router.endpoint(
    "GET",
    "/doctor",
    DoctorAnswer,
    right=Right.READ,
    problems=[409],
    large=True,
    reads=Reads(Action.GALLERY_EXAMINED),
)
async def examine_collection(
    collection: CollectionPath, services: ServicesDep, query: Asked[DoctorQuery]
) -> DoctorAnswer:
    """Find photos under the wrong person, people under two names, outliers and look-alikes.

    The people are examined in the order of their enrolment, a page at a time; follow `next_cursor`
    until it is null. Nothing is changed; `action` of a finding is the request that corrects it, and
    `dismissal` the one that dismisses it.
    """
    page = await services.examine_gallery.page(
        collection, limit=query.limit, cursor=query.cursor, within_s=query.within_s
    )
    return await asyncio.to_thread(DoctorAnswer.page, page, collection)


@router.endpoint("POST", "/doctor:dismiss", DismissAnswer, right=Right.CORRECT)
async def dismiss_findings(
    collection: CollectionPath, body: Sent[DismissBody], services: ServicesDep
) -> DismissAnswer:
    """Dismiss findings that are none: the doctor does not report them again.

    This is kept until `doctor:restore`, or until the people or faces are erased; when people are
    merged, it holds for the one who stays. A face that is moved to another person may be a finding
    again. Unknown people and faces are answered 404, and then nothing is dismissed.
    """
    none = body.no_findings()
    changed = await writing(services.gallery.dismissals.dismiss, collection, none)
    return DismissAnswer(changed=changed)


@router.endpoint("POST", "/doctor:restore", RestoreAnswer, right=Right.CORRECT)
async def restore_findings(
    collection: CollectionPath, body: Sent[DismissBody], services: ServicesDep
) -> RestoreAnswer:
    """Undo `doctor:dismiss`: the doctor reports these findings again, if there are any."""
    none = body.no_findings()
    changed = await writing(services.gallery.dismissals.restore, collection, none)
    return RestoreAnswer(changed=changed)


@router.endpoint(
    "GET",
    "/doctor/dismissals",
    DismissalPage,
    right=Right.READ,
    large=True,
    reads=Reads(Action.GALLERY_EXAMINED),
)
async def list_dismissals(
    collection: CollectionPath, services: ServicesDep, query: Asked[PageQuery]
) -> Page[Dismissal]:
    """List what is dismissed, oldest first."""
    return await reading(
        services.gallery.dismissals.page, collection, limit=query.limit, cursor=query.cursor
    )
