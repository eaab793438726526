"""SearchUsers and SearchUsersByImage: the users whom a face, or another user, resembles."""

from collections.abc import Awaitable, Callable

from app.compat.rekognition.faces_shown import face_detail_of
from app.compat.rekognition.known_users import find_user, user_of
from app.compat.rekognition.model_version import model_version
from app.compat.rekognition.operation import Call, operation
from app.compat.rekognition.reasons import reasons_of
from app.compat.rekognition.schemas.base import record_id, wire_id
from app.compat.rekognition.schemas.shown_faces import FaceDetail
from app.compat.rekognition.schemas.users import (
    SearchedFace,
    SearchedFaceDetails,
    SearchedUser,
    SearchUsersByImageInput,
    SearchUsersByImageOutput,
    SearchUsersInput,
    SearchUsersOutput,
    UnsearchedFace,
    UserMatch,
)
from app.compat.rekognition.similarities import similar_people
from app.gallery.journal.actions import Action
from app.gallery.keys.rights import Right
from app.gallery.records import NAMED
from app.operations.enroll.photo_subject import PassedOverReason
from app.operations.identify.identifier import IdentifiedFace
from app.operations.policy.decisions import Decision, SearchOptions, Stage, Status
from app.operations.policy.face_rules import QualityFilter
from app.recognition.types import ImageSize, ModelId
from app.runtime.threads import reading

MOST_USERS = 500
_MOST_FACES = 100
_FEW_USERS = 10
"""Users that are looked for at first: hardly ever are more of them similar enough."""

Search = Callable[[SearchOptions], Awaitable[tuple[Decision, ModelId]]]


@operation("SearchUsers", SearchUsersInput, right=Right.IDENTIFY)
async def search_users(call: Call[SearchUsersInput]) -> SearchUsersOutput:
    """Search users by a stored face, or by the template of another user."""
    body, services = call.body, call.services
    collection = body.collection_id
    call.counted_searches.require()
    if body.face_id is not None:
        face_id = record_id(body.face_id)
        matches, model = await _matches(
            call,
            lambda options: services.identify.enrolled_face(
                collection, face_id, options, leave_out=False
            ),
        )
        return SearchUsersOutput(
            user_matches=matches,
            searched_face=SearchedFace(face_id=wire_id(face_id)),
            face_model_version=model_version(model.digest),
        )
    assert body.user_id is not None  # the schema demands one of the two
    user = await find_user(services.gallery, collection, body.user_id)
    searched = SearchedUser(user_id=body.user_id)
    if not user.face_count:
        basis = await reading(services.gallery.collections.require, collection)
        return SearchUsersOutput(
            user_matches=[],
            searched_user=searched,
            face_model_version=model_version(basis.model.digest),
        )
    matches, model = await _matches(
        call, lambda options: services.identify.person(collection, user.id, options)
    )
    return SearchUsersOutput(
        user_matches=matches,
        searched_user=searched,
        face_model_version=model_version(model.digest),
    )


@operation("SearchUsersByImage", SearchUsersByImageInput, right=Right.IDENTIFY)
async def search_users_by_image(
    call: Call[SearchUsersByImageInput],
) -> SearchUsersByImageOutput:
    """Search users by the largest face of an image that is good enough.

    Without such a face, nobody is found, and there is no searched face.
    """
    body, services = call.body, call.services
    most = body.max_users or MOST_USERS
    # Few people are alike; reading hundreds of them takes longer than recognising the photo.
    for top_k in (min(most, _FEW_USERS), most):
        photo = await services.identify.photo(
            body.collection_id,
            body.image.file,
            search_options(top_k),
            max_faces=min(_MOST_FACES, services.settings.limits.max_faces),
            quality_filter=QualityFilter(body.quality_filter.lower()),
        )
        usable = (face for face in photo.faces if face.decision.status is not Status.REJECTED)
        searched = next(usable, None)
        matches = []
        if searched is not None:
            matches = list(similar_people(searched.decision, body.user_match_threshold))[:most]
        if len(matches) < top_k:
            break
    for face in photo.faces:
        services.metrics.count_decision("identify", face.decision.status, kept=False)
    call.note_read(Action.IDENTIFIED, [person.id for person, _ in matches])
    return SearchUsersByImageOutput(
        user_matches=[
            UserMatch(similarity=percent, user=user_of(person)) for person, percent in matches
        ],
        face_model_version=model_version(photo.model.digest),
        searched_face=None
        if searched is None
        else SearchedFaceDetails(face_detail=_detail(searched, photo.size)),
        unsearched_faces=[
            UnsearchedFace(
                face_details=_detail(face, photo.size),
                reasons=reasons_of(face.decision.reasons or (PassedOverReason.NOT_LARGEST,)),
            )
            for face in photo.faces
            if face is not searched
        ],
    )


def _detail(found: IdentifiedFace, size: ImageSize) -> FaceDetail:
    return face_detail_of(found.face, found.quality, size)


async def _matches(call: Call[SearchUsersInput], search: Search) -> tuple[list[UserMatch], ModelId]:
    """Search as widely as needed, and count and note whom the caller is shown."""
    most = call.body.max_users or MOST_USERS
    for top_k in (min(most, _FEW_USERS), most):
        decision, model = await search(search_options(top_k))
        found = list(similar_people(decision, call.body.user_match_threshold))
        if len(found) < top_k:
            break
    shown = found[:most]
    ids = [person.id for person, _ in shown]
    call.counted_searches.count_people(ids)
    call.note_read(Action.IDENTIFIED, ids)
    matches = [UserMatch(similarity=percent, user=user_of(person)) for person, percent in shown]
    return matches, model


def search_options(top_k: int) -> SearchOptions:
    """Options of a search of users alone. Whom it does not find may be a face without a user, so
    it is no unknown one."""
    return SearchOptions(top_k, stages=(Stage(NAMED),), keep_unknown=False)
