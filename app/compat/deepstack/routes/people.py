"""Registered people: added, listed, deleted."""

from typing import Any

from fastapi import Request
from pydantic import BaseModel, RootModel, TypeAdapter, ValidationError
from starlette.responses import Response

from app.api.erasing import erase
from app.api.idempotency import IdempotencyKey, answer_once
from app.api.schemas.parts.erasure import ErasureQuery
from app.api.schemas.parts.field_types import ShortText
from app.compat.deepstack.answers import succeeded
from app.compat.deepstack.calls import UNKNOWN, Call, called
from app.compat.deepstack.refusals import Refused
from app.compat.dialect_router import DialectRouter
from app.compat.enrolling import enroll_photos
from app.compat.person_names import find_exactly, name_of
from app.errors import IdentityNotFound
from app.gallery.journal.actions import Action
from app.gallery.keys.rights import Right
from app.gallery.people.text_forms import MAX_NAME_LENGTH
from app.gallery.records import Identity, NewIdentity
from app.gallery.store.idempotency import Once
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.enroll.enroller import Enrollment
from app.operations.policy.face_rules import FaceRule, QualityFilter
from app.runtime.threads import reading
from app.settings import DeepStackSettings

_ADDED, _UPDATED = "face added", "face updated"
_userid = TypeAdapter(ShortText)

router = DialectRouter()


class _Registration(BaseModel):
    """What a request to register says, as it was understood."""

    collection: str
    userid: str
    photos: list[bytes]


@router.answers("POST", "/v1/vision/face/register", right=None)
async def register(request: Request, idempotency_key: IdempotencyKey = None) -> Response:
    """Add the largest face of each photo to the person of a userid, who is created if missing.

    DeepStack keeps the last registration alone; here each one adds to those before.
    """
    call = await called(request, Right.ENROLL)
    new = _Registration(
        collection=call.collection, userid=_new_userid(call), photos=list(call.photos)
    )
    is_there = False
    answers: dict[str, BaseModel] = {}
    """Made once, as they have times: the one that is kept is the one that is sent."""

    def find() -> Identity | None:
        nonlocal is_there
        people = find_exactly(call.services.gallery, new.collection, new.userid)
        is_there = bool(people)
        return people[0] if people else None

    async def add(once: Once[Enrollment] | None) -> Enrollment:
        done = await enroll_photos(
            call.services,
            new.collection,
            new.photos,
            _options(call.services.settings.deepstack),
            find=find,
            new=lambda: NewIdentity(name=new.userid, external_id=new.userid),
            once=once,
        )
        reasons = done.rejection_reasons
        call.services.metrics.count_enrollment(faces=done.new_face_count, reasons=reasons)
        return done

    def answer(_: Enrollment) -> tuple[int, BaseModel]:
        message = _UPDATED if is_there else _ADDED
        if message not in answers:
            answers[message] = RootModel(succeeded(call, "register", message=message))
        return 200, answers[message]

    return await answer_once(request, idempotency_key, new, call.services.gallery, add, answer)


@router.answers("POST", "/v1/vision/face/list", right=None)
async def list_people(request: Request) -> dict[str, Any]:
    """List the userids of all people."""
    return await _listed(request)


@router.answers("GET", "/v1/vision/face/list", right=None)
async def list_people_by_get(request: Request) -> dict[str, Any]:
    """List the userids of all people, as some scripts ask for them."""
    return await _listed(request)


@router.answers("POST", "/v1/vision/face/delete", right=None)
async def delete(request: Request) -> dict[str, Any]:
    """Erase the person of a userid; if there is none, nothing happens, which is a success."""
    call = await called(request, Right.CORRECT)
    gallery = call.services.gallery
    for person in await reading(find_exactly, gallery, call.collection, call.userid):
        try:
            await erase(ErasureQuery(), gallery.people.delete, call.collection, person.id)
        except IdentityNotFound:
            continue  # another request deleted them since
    return succeeded(call, "delete")


async def _listed(request: Request) -> dict[str, Any]:
    call = await called(request, Right.READ)
    people = await reading(call.services.gallery.people.labels, call.collection)
    call.services.reads.note(Action.IDENTITIES_LISTED, call.collection)
    return succeeded(call, "list", faces=list(dict.fromkeys(map(name_of, people))))


def _new_userid(call: Call) -> str:
    """Raises Refused for what cannot be the userid of a person."""
    try:
        userid = _userid.validate_python(call.userid)
    except ValidationError as error:
        raise Refused(f"userid must be a text of at most {MAX_NAME_LENGTH} characters") from error
    if userid.casefold() == UNKNOWN:
        raise Refused(f"userid must not be {UNKNOWN!r}, as strangers are called so")
    return userid


def _options(rules: DeepStackSettings) -> EnrollOptions:
    return EnrollOptions(
        faces=FaceRule.LARGEST,
        quality_filter=QualityFilter(rules.quality_filter),
        force=not rules.guards,
    )
