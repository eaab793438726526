"""ListFaces and DeleteFaces."""

from app.compat.rekognition.faces_shown import face_of
from app.compat.rekognition.known_users import find_user
from app.compat.rekognition.model_version import model_version
from app.compat.rekognition.operation import Call, operation
from app.compat.rekognition.paging import pages_of
from app.compat.rekognition.schemas.base import record_id, wire_id
from app.compat.rekognition.schemas.faces import (
    DeleteFacesInput,
    DeleteFacesOutput,
    ListFacesInput,
    ListFacesOutput,
    UnsuccessfulFaceDeletion,
)
from app.compat.rekognition.user_ids import user_id_of
from app.gallery.journal.actions import Action
from app.gallery.keys.rights import Right
from app.gallery.people.correction_records import KeptFace, WhyKept
from app.gallery.records import FaceFilter, Identity
from app.runtime.threads import reading

_MOST = 4_096


@operation("ListFaces", ListFacesInput, right=Right.READ, large=True)
async def list_faces(call: Call[ListFacesInput]) -> ListFacesOutput:
    """List the faces of a collection, oldest first; with filters, those that pass all of them."""
    body, gallery = call.body, call.services.gallery
    basis = await reading(gallery.collections.require, body.collection_id)
    user = None
    if body.user_id is not None:
        user = await find_user(gallery, body.collection_id, body.user_id)
    wanted = FaceFilter(
        identity_ids=None if user is None else (user.id,),
        face_ids=None if body.face_ids is None else tuple(map(record_id, body.face_ids)),
    )
    with pages_of(body.max_results, _MOST) as limit:
        page = await reading(
            gallery.faces.listed,
            body.collection_id,
            wanted,
            limit=limit,
            cursor=body.next_token,
        )
    call.note_read(Action.FACES_LISTED, {face.identity_id for face in page.items})
    return ListFacesOutput(
        faces=[face_of(face, basis.model.digest) for face in page.items],
        next_token=page.next_cursor,
        face_model_version=model_version(basis.model.digest),
    )


@operation("DeleteFaces", DeleteFacesInput, right=Right.CORRECT, large=True)
async def delete_faces(call: Call[DeleteFacesInput]) -> DeleteFacesOutput:
    """Delete faces. Those of users stay: they are disassociated first."""
    done = await call.services.correct.delete_faces(
        call.body.collection_id,
        [record_id(face_id) for face_id in call.body.face_ids],
        spare=_is_user,
    )
    return DeleteFacesOutput(
        deleted_faces=[wire_id(face.face_id) for face in done.deleted],
        unsuccessful_face_deletions=[_unsuccessful(face) for face in done.kept],
    )


def _is_user(person: Identity) -> bool:
    return not person.anonymous


def _unsuccessful(face: KeptFace) -> UnsuccessfulFaceDeletion:
    is_missing = face.code is WhyKept.NOT_FOUND
    return UnsuccessfulFaceDeletion(
        face_id=wire_id(face.face_id),
        user_id=None if face.identity is None else user_id_of(face.identity),
        reasons=["FACE_NOT_FOUND" if is_missing else "ASSOCIATED_TO_AN_EXISTING_USER"],
    )
