"""Faces: the enrolled examples of a person."""

from app.api.audited_reads import Reads
from app.api.deps import (
    BEFORE_COLON,
    CollectionPath,
    CountedSearchesDep,
    FacePath,
    IdentityPath,
    ServicesDep,
)
from app.api.endpoint import Asked, Endpoints, OnceDep, Otherwise, Sent
from app.api.erasing import erase
from app.api.schemas.faces import (
    AddFacesBody,
    DeleteFacesAnswer,
    DeleteFacesBody,
    FacePage,
    FacesQuery,
    MoveFaceAnswer,
    MoveFaceBody,
    OwnedFacePage,
)
from app.api.schemas.parts.assignment import (
    AssignFacesBody,
    AssignmentAnswer,
    ReleaseFacesBody,
)
from app.api.schemas.parts.enrolment import EnrollmentBody
from app.api.schemas.parts.erasure import ErasureBody, ErasureQuery
from app.api.schemas.parts.faces_enrolment import EnrollFacesAnswer, EnrollFacesBody
from app.api.schemas.parts.pages import PageQuery
from app.gallery.journal.actions import Action
from app.gallery.keys.rights import Right
from app.gallery.people.assignment_records import FaceAssignment
from app.gallery.people.correction_records import FacesDeletion, MovedFace
from app.gallery.records import Erasure, Face, OwnedFace, Page
from app.operations.enroll.enroller import Enrollment
from app.operations.enroll.faces_enroller import PhotoEnrollment
from app.runtime.threads import reading

router = Endpoints("/collections/{collection}", tag="faces")
_OF_A_PERSON = "/identities/{identity_id}/faces"


@router.endpoint(
    "POST",
    _OF_A_PERSON,
    EnrollmentBody,
    right=Right.ENROLL,
    status=201,
    otherwise=Otherwise(
        200, "All of it was enrolled before.", lambda done: not done.new_face_count
    ),
    problems=[409],
)
async def add_faces(
    collection: CollectionPath,
    identity_id: IdentityPath,
    body: Sent[AddFacesBody],
    services: ServicesDep,
    once: OnceDep,
) -> Enrollment:
    """Enroll more photos of a person.

    A photo that is enrolled already is answered with its face; when all are, with status 200. A
    photo that does not look like the person's other faces, or looks more like another person, is
    rejected unless `force` is sent.
    """
    done = await services.enroll.add_faces(
        collection,
        identity_id,
        body.images,
        body.options(),
        once=once,
    )
    services.metrics.count_enrollment(faces=done.new_face_count, reasons=done.rejection_reasons)
    return done


@router.endpoint(
    "POST",
    "/faces",
    EnrollFacesAnswer,
    right=Right.ENROLL,
    status=201,
    otherwise=Otherwise(200, "Nothing was enrolled now.", lambda done: not done.new_face_count),
    problems=[409],
)
async def enroll_faces(
    collection: CollectionPath,
    body: Sent[EnrollFacesBody],
    services: ServicesDep,
    once: OnceDep,
) -> PhotoEnrollment:
    """Enroll every face of a photo, each as an anonymous person of its own.

    The guards are not asked. Faces that are not enrolled are in `left_out` with reasons. The same
    photo sent again is answered with the faces that are there, and a photo without any face with
    empty lists, both with status 200.
    """
    done = await services.enroll_faces.photo(
        collection,
        body.image,
        body.options(),
        new=body.new_identity(),
        max_faces=body.max_faces,
        once=once,
    )
    services.metrics.count_enrollment(faces=done.new_face_count, reasons=done.left_out_reasons)
    return done


@router.endpoint(
    "GET",
    _OF_A_PERSON,
    FacePage,
    right=Right.READ,
    large=True,
    reads=Reads(Action.FACES_LISTED, lambda page: [face.identity_id for face in page.items]),
)
async def list_faces(
    collection: CollectionPath,
    identity_id: IdentityPath,
    services: ServicesDep,
    query: Asked[PageQuery],
) -> Page[Face]:
    """List a person's faces, oldest first."""
    return await reading(
        services.gallery.faces.page, collection, identity_id, limit=query.limit, cursor=query.cursor
    )


@router.endpoint(
    "GET",
    f"{_OF_A_PERSON}/{{face_id}}/crop",
    None,
    right=Right.READ,
    media_type="image/jpeg",
    problems=[409],
)
async def get_face_crop(
    collection: CollectionPath,
    identity_id: IdentityPath,
    face_id: FacePath,
    services: ServicesDep,
) -> bytes:
    """Return the crop that is kept of a face: upright, 336 x 336 pixels.

    404 `crop_not_kept` where `has_crop` of the face is false; 409 `crop_unreadable` where the crop
    does not open with the service's VULTUS_CROPS_KEY. Each reading is noted in the service's log.
    """
    return await reading(services.crops.of_face, collection, identity_id, face_id)


@router.endpoint(
    "DELETE", f"{_OF_A_PERSON}/{{face_id}}", ErasureBody, right=Right.CORRECT, problems=[409]
)
async def delete_face(
    collection: CollectionPath,
    identity_id: IdentityPath,
    face_id: FacePath,
    services: ServicesDep,
    query: Asked[ErasureQuery],
) -> Erasure:
    """Delete one face. The person stays, even without any face, unless they are anonymous."""
    return await erase(query, services.gallery.faces.delete, collection, identity_id, face_id)


@router.endpoint(
    "GET",
    "/faces",
    OwnedFacePage,
    right=Right.READ,
    large=True,
    reads=Reads(Action.FACES_LISTED, lambda page: [face.identity_id for face in page.items]),
)
async def list_collection_faces(
    collection: CollectionPath, services: ServicesDep, query: Asked[FacesQuery]
) -> Page[OwnedFace]:
    """List the faces of a collection with their owners, oldest first.

    By `cursor`, or by the number of a page.
    """
    faces = services.gallery.faces
    if query.page is None:
        return await reading(
            faces.listed, collection, query.wanted(), limit=query.limit, cursor=query.cursor
        )
    return await reading(
        faces.numbered, collection, query.wanted(), page=query.page, size=query.limit
    )


@router.endpoint(
    "DELETE", f"/faces/{{face_id:{BEFORE_COLON}}}", ErasureBody, right=Right.CORRECT, problems=[409]
)
async def delete_face_by_id(
    collection: CollectionPath,
    face_id: FacePath,
    services: ServicesDep,
    query: Asked[ErasureQuery],
) -> Erasure:
    """Delete one face, of any person.

    The person stays, even without any face, unless they are anonymous.
    """
    return await erase(query, services.gallery.faces.delete_by_id, collection, face_id)


@router.endpoint("POST", "/faces:delete", DeleteFacesAnswer, right=Right.CORRECT, problems=[409])
async def delete_faces(
    collection: CollectionPath, body: Sent[DeleteFacesBody], services: ServicesDep, once: OnceDep
) -> FacesDeletion:
    """Delete up to 4,096 faces by their ids, of any people, in one transaction.

    A face that is not there, or whose owner is under a legal hold, is listed in `kept`; the others
    are deleted in any case. The people stay, even without any face; anonymous ones are deleted with
    their last one.
    """
    return await services.correct.delete_faces(
        collection, body.face_ids, compact=body.compact, once=once
    )


@router.endpoint(
    "POST",
    f"/faces/{{face_id:{BEFORE_COLON}}}:move",
    MoveFaceAnswer,
    right=Right.CORRECT,
    otherwise=Otherwise(201, "Moved to a new person.", lambda done: done.is_new_person),
    problems=[409],
)
async def move_face(
    collection: CollectionPath,
    face_id: FacePath,
    body: Sent[MoveFaceBody],
    services: ServicesDep,
    once: OnceDep,
) -> MovedFace:
    """Move a face to the person whom it shows, or to a new one.

    The guards check it as a new photo of that person: a face that looks like another person, or
    unlike the person's other faces, is refused unless `force` is sent. The previous person stays,
    even without any face; an anonymous one becomes part of the new owner then.
    """
    return await services.correct.move_face(
        collection,
        face_id,
        body.who(),
        force=body.force,
        if_revision=body.if_revision,
        once=once,
    )


@router.endpoint(
    "POST", f"{_OF_A_PERSON}:assign", AssignmentAnswer, right=Right.CORRECT, problems=[409, 429]
)
async def assign_faces(
    collection: CollectionPath,
    identity_id: IdentityPath,
    body: Sent[AssignFacesBody],
    services: ServicesDep,
    searches: CountedSearchesDep,
    once: OnceDep,
) -> FaceAssignment:
    """Assign faces of anonymous people to a person, each with an outcome of its own.

    Once the person has a face, only faces that are like the person are assigned, unless `force` is
    sent. The faces keep their ids; an anonymous person without a face left is merged into the
    person. Without the right `templates`, a request with a threshold or rate, or for a person with
    a threshold of their own, counts as a search that finds the person.
    """
    person = await reading(services.gallery.people.get, collection, identity_id)
    # Who may correct people may set that threshold as well.
    if person.face_count and (body.names_a_threshold or person.threshold is not None):
        searches.require()
        searches.count_people([person.id])
    done = await services.assign.assign(
        collection, identity_id, body.face_ids, body.options(), once=once
    )
    if any(face.threshold is not None for face in done.faces):
        # Also of faces that are too unlike, whose assignment changes nothing.
        services.reads.note(Action.VERIFIED, collection, [done.identity.id])
    return done


@router.endpoint(
    "POST", f"{_OF_A_PERSON}:release", AssignmentAnswer, right=Right.CORRECT, problems=[409]
)
async def release_faces(
    collection: CollectionPath,
    identity_id: IdentityPath,
    body: Sent[ReleaseFacesBody],
    services: ServicesDep,
    once: OnceDep,
) -> FaceAssignment:
    """Take faces from a person without deleting them: each gets an anonymous person of its own.

    The faces keep their ids. The person stays, even without any face.
    """
    return await services.assign.release(collection, identity_id, body.face_ids, once=once)
