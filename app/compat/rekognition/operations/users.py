"""CreateUser, DeleteUser and ListUsers, AssociateFaces and DisassociateFaces.

A user is a person who is not anonymous, also one whom another API enrolled. A face without a user
is that of an anonymous person.
"""

from app.compat.rekognition.faults import QuotaExceeded
from app.compat.rekognition.known_users import find_user, user_of, user_status
from app.compat.rekognition.operation import Call, operation
from app.compat.rekognition.paging import pages_of
from app.compat.rekognition.request_tokens import carried_out
from app.compat.rekognition.schemas.base import Output, record_id, wire_id
from app.compat.rekognition.schemas.users import (
    DEFAULT_MATCH_THRESHOLD,
    AssociatedFace,
    AssociateFacesInput,
    AssociateFacesOutput,
    CreateUserInput,
    DeleteUserInput,
    DisassociatedFace,
    DisassociateFacesInput,
    DisassociateFacesOutput,
    ListUsersInput,
    ListUsersOutput,
    UnsuccessfulFaceAssociation,
    UnsuccessfulFaceDisassociation,
)
from app.compat.rekognition.user_ids import user_id_of
from app.compat.rekognition.user_matches import confidence_of, options_of
from app.errors import ExternalIdTaken, IdentityNotFound, TooManyFaces
from app.gallery.journal.actions import Action
from app.gallery.keys.rights import Right
from app.gallery.people.assignment_records import (
    AssignedFace,
    Dissolution,
    FaceAssignment,
    FaceOutcome,
)
from app.gallery.records import IdentityFilter, NewIdentity
from app.gallery.store.idempotency import Once
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.enroll.enroller import Enrollment
from app.operations.policy.thresholds import Thresholds
from app.runtime.threads import reading

_MOST_LISTED = 500
_NOT_CHOSEN = (DEFAULT_MATCH_THRESHOLD, 0.0)
"""Thresholds by which a caller learns no more of a similarity than by any other correction. Others
count as a search that finds the user: so a similarity is found bit by bit."""
_REASONS = {
    FaceOutcome.FACE_NOT_FOUND: "FACE_NOT_FOUND",
    FaceOutcome.OF_ANOTHER_PERSON: "ASSOCIATED_TO_A_DIFFERENT_USER",
    FaceOutcome.LOW_MATCH_CONFIDENCE: "LOW_MATCH_CONFIDENCE",
}
_AS_BEFORE = (FaceOutcome.ALREADY_ASSIGNED, FaceOutcome.NOT_ASSIGNED)
"""Faces that are in no list of an answer, as nothing was to be done."""


@operation("CreateUser", CreateUserInput, right=Right.ENROLL)
async def create_user(call: Call[CreateUserInput]) -> Output:
    """Create a user without a face."""
    body, services = call.body, call.services

    async def create(once: Once[Enrollment] | None) -> Enrollment:
        try:
            await find_user(services.gallery, body.collection_id, body.user_id)
        except IdentityNotFound:
            new = NewIdentity(external_id=body.user_id)
            return await services.enroll.create(
                body.collection_id, new, (), EnrollOptions(), once=once
            )
        raise ExternalIdTaken(f"the user {body.user_id} exists already")

    return await carried_out(call, create, Output, lambda _: Output())


@operation("DeleteUser", DeleteUserInput, right=Right.CORRECT)
async def delete_user(call: Call[DeleteUserInput]) -> Output:
    """Delete a user. The faces stay, without a user."""
    body, services = call.body, call.services

    async def delete(once: Once[Dissolution] | None) -> Dissolution:
        user = await find_user(services.gallery, body.collection_id, body.user_id)
        return await services.assign.dissolve(body.collection_id, user.id, once=once)

    return await carried_out(call, delete, Output, lambda _: Output())


@operation("ListUsers", ListUsersInput, right=Right.READ)
async def list_users(call: Call[ListUsersInput]) -> ListUsersOutput:
    """List the users of a collection, oldest first."""
    body, people = call.body, call.services.gallery.people
    with pages_of(body.max_results, _MOST_LISTED) as limit:
        page = await reading(
            people.page, body.collection_id, IdentityFilter(), limit=limit, cursor=body.next_token
        )
    call.note_read(Action.IDENTITIES_LISTED)
    return ListUsersOutput(users=list(map(user_of, page.items)), next_token=page.next_cursor)


@operation("AssociateFaces", AssociateFacesInput, right=Right.CORRECT)
async def associate_faces(call: Call[AssociateFacesInput]) -> AssociateFacesOutput:
    """Associate faces without a user with one, each as far as it is like the user."""
    body, services = call.body, call.services
    policy = await reading(services.calibrator.thresholds, body.collection_id)
    options = options_of(body.user_match_threshold, policy)

    async def associate(once: Once[FaceAssignment] | None) -> FaceAssignment:
        user = await find_user(services.gallery, body.collection_id, body.user_id)
        chosen = body.user_match_threshold not in _NOT_CHOSEN or user.threshold is not None
        if user.face_count and chosen:  # who may correct people may set that threshold as well
            call.counted_searches.require()
            call.counted_searches.count_people([user.id])
        face_ids = list(map(record_id, body.face_ids))
        try:
            done = await services.assign.assign(
                body.collection_id, user.id, face_ids, options, once=once
            )
        except TooManyFaces as error:
            raise QuotaExceeded(str(error)) from error
        if any(face.threshold is not None for face in done.faces):
            # Also of faces that are too unlike, whose association changes nothing.
            call.note_read(Action.VERIFIED, [done.identity.id])
        return done

    def output(done: FaceAssignment) -> AssociateFacesOutput:
        return _association(done, policy)

    return await carried_out(call, associate, AssociateFacesOutput, output)


@operation("DisassociateFaces", DisassociateFacesInput, right=Right.CORRECT)
async def disassociate_faces(call: Call[DisassociateFacesInput]) -> DisassociateFacesOutput:
    """Take faces from a user. They stay in the collection, without a user."""
    body, services = call.body, call.services

    async def disassociate(once: Once[FaceAssignment] | None) -> FaceAssignment:
        user = await find_user(services.gallery, body.collection_id, body.user_id)
        face_ids = list(map(record_id, body.face_ids))
        return await services.assign.release(body.collection_id, user.id, face_ids, once=once)

    return await carried_out(call, disassociate, DisassociateFacesOutput, _disassociation)


def _association(done: FaceAssignment, policy: Thresholds) -> AssociateFacesOutput:
    return AssociateFacesOutput(
        associated_faces=[AssociatedFace(face_id=wire_id(face.face_id)) for face in done.changed],
        unsuccessful_face_associations=[
            UnsuccessfulFaceAssociation(
                face_id=wire_id(face.face_id),
                user_id=_other_user(face),
                confidence=_confidence(face, policy),
                reasons=_reasons(face),
            )
            for face in _refused(done)
        ],
        user_status=user_status(done.identity),
    )


def _disassociation(done: FaceAssignment) -> DisassociateFacesOutput:
    return DisassociateFacesOutput(
        disassociated_faces=[
            DisassociatedFace(face_id=wire_id(face.face_id)) for face in done.changed
        ],
        unsuccessful_face_disassociations=[
            UnsuccessfulFaceDisassociation(
                face_id=wire_id(face.face_id), user_id=_other_user(face), reasons=_reasons(face)
            )
            for face in _refused(done)
        ],
        user_status=user_status(done.identity),
    )


def _refused(done: FaceAssignment) -> list[AssignedFace]:
    return [
        face for face in done.faces if face not in done.changed and face.outcome not in _AS_BEFORE
    ]


def _reasons(face: AssignedFace) -> list[str]:
    """The reasons of AWS; none fits where the user has a face of the same picture."""
    reason = _REASONS.get(face.outcome)
    return [] if reason is None else [reason]


def _other_user(face: AssignedFace) -> str | None:
    return None if face.identity is None else user_id_of(face.identity)


def _confidence(face: AssignedFace, policy: Thresholds) -> float | None:
    if face.outcome is not FaceOutcome.LOW_MATCH_CONFIDENCE:
        return None
    return confidence_of(face, policy)
