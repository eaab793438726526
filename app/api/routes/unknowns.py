"""The inbox: faces that matched no enrolled person, in groups."""

from app.api.audited_reads import Reads
from app.api.deps import BEFORE_COLON, CollectionPath, FacePath, GroupPath, ServicesDep
from app.api.endpoint import Asked, Endpoints, Sent
from app.api.erasing import erase
from app.api.schemas.parts.enrolment import EnrollmentBody
from app.api.schemas.parts.erasure import ErasureQuery
from app.api.schemas.unknowns import (
    MergeUnknownsBody,
    NameUnknownBody,
    SearchUnknownsAnswer,
    SearchUnknownsBody,
    SplitUnknownBody,
    UnknownErasureBody,
    UnknownGroupAnswer,
    UnknownGroupBody,
    UnknownGroupPage,
    UnknownQuery,
)
from app.gallery.journal.actions import Action
from app.gallery.keys.rights import Right
from app.gallery.records import Page
from app.gallery.unknowns.unknown_records import UnknownErasure, UnknownGroup
from app.operations.enroll.enroller import Enrollment
from app.operations.unknown_finder import PhotoAmongUnknowns
from app.runtime.threads import reading, writing

_GROUP = f"/{{group_id:{BEFORE_COLON}}}"

router = Endpoints("/collections/{collection}/unknowns", tag="unknowns")


@router.endpoint(
    "GET", "", UnknownGroupPage, right=Right.READ, large=True, reads=Reads(Action.UNKNOWNS_LISTED)
)
async def list_unknowns(
    collection: CollectionPath, services: ServicesDep, query: Asked[UnknownQuery]
) -> Page[UnknownGroup]:
    """List the groups of faces that matched no enrolled person, newest or largest first.

    Empty unless the collection's options say `unknowns.keep`.
    """
    return await reading(
        services.unknowns.list_groups,
        collection,
        query.order,
        min_count=query.min_count,
        limit=query.limit,
        cursor=query.cursor,
    )


@router.endpoint(
    "GET",
    _GROUP,
    UnknownGroupAnswer,
    right=Right.READ,
    large=True,
    reads=Reads(Action.UNKNOWN_READ),
)
async def get_unknown(
    collection: CollectionPath, group_id: GroupPath, services: ServicesDep
) -> UnknownGroupAnswer:
    """Return a group with its faces."""
    group, faces = await reading(services.read_unknowns.get_group, collection, group_id)
    return UnknownGroupAnswer.of(group, faces=faces)


@router.endpoint(
    "GET",
    f"{_GROUP}/faces/{{face_id}}/crop",
    None,
    right=Right.READ,
    media_type="image/jpeg",
    problems=[409],
)
async def get_unknown_crop(
    collection: CollectionPath, group_id: GroupPath, face_id: FacePath, services: ServicesDep
) -> bytes:
    """Return the crop that is kept of an unknown face: upright, 336 x 336 pixels.

    404 `crop_not_kept` where `has_crop` of the face is false; 409 `crop_unreadable` where the crop
    does not open with the service's VULTUS_CROPS_KEY. Each reading is noted in the service's log.
    """
    return await reading(services.crops.of_unknown_face, collection, group_id, face_id)


@router.endpoint(
    "POST", f"{_GROUP}:name", EnrollmentBody, right=Right.ENROLL, status=201, problems=[409]
)
async def name_unknown(
    collection: CollectionPath,
    group_id: GroupPath,
    body: Sent[NameUnknownBody],
    services: ServicesDep,
) -> Enrollment:
    """Enroll a group as a new person, or as more faces of one; they leave the inbox with it.

    `image_index` counts the faces, oldest first.
    """
    done = await services.name_unknown.name(collection, group_id, body.who(), body.face_ids)
    services.metrics.count_enrollment(faces=done.new_face_count, reasons=done.rejection_reasons)
    return done


@router.endpoint(
    "POST",
    ":search",
    SearchUnknownsAnswer,
    right=Right.IDENTIFY,
    problems=[409],
    reads=Reads(Action.UNKNOWNS_SEARCHED),
)
async def search_unknowns(
    collection: CollectionPath, body: Sent[SearchUnknownsBody], services: ServicesDep
) -> PhotoAmongUnknowns:
    """Find the groups that are most like the faces of a photo. Nothing is kept of it."""
    return await services.find_unknown.photo(
        collection, body.image, top_k=body.top_k, max_faces=body.max_faces
    )


@router.endpoint("POST", ":merge", UnknownGroupBody, right=Right.CORRECT)
async def merge_unknowns(
    collection: CollectionPath, body: Sent[MergeUnknownsBody], services: ServicesDep
) -> UnknownGroup:
    """Make one group of several; it keeps the id of the oldest."""
    return await writing(services.unknowns.merge, collection, body.group_ids)


@router.endpoint("POST", f"{_GROUP}:split", UnknownGroupBody, right=Right.CORRECT, status=201)
async def split_unknown(
    collection: CollectionPath,
    group_id: GroupPath,
    body: Sent[SplitUnknownBody],
    services: ServicesDep,
) -> UnknownGroup:
    """Move some faces of a group into a new one, which is answered."""
    return await writing(services.unknowns.split, collection, group_id, body.face_ids)


@router.endpoint("DELETE", _GROUP, UnknownErasureBody, right=Right.CORRECT)
async def dismiss_unknown(
    collection: CollectionPath,
    group_id: GroupPath,
    services: ServicesDep,
    query: Asked[ErasureQuery],
) -> UnknownErasure:
    """Erase a group. The person begins a new one when they are seen again."""
    return await erase(query, services.unknowns.dismiss, collection, group_id)


@router.endpoint("DELETE", f"{_GROUP}/faces/{{face_id}}", UnknownErasureBody, right=Right.CORRECT)
async def dismiss_unknown_face(
    collection: CollectionPath,
    group_id: GroupPath,
    face_id: FacePath,
    services: ServicesDep,
    query: Asked[ErasureQuery],
) -> UnknownErasure:
    """Erase one face of a group, and the group if it was the last."""
    return await erase(query, services.unknowns.dismiss_face, collection, group_id, face_id)
