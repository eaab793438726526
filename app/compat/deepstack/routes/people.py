"""Registered people: added, listed, deleted."""

from collections.abc import Sequence
from typing import Any

from fastapi import Request
from pydantic import TypeAdapter, ValidationError

from app.api.erasing import erase
from app.api.schemas.parts.erasure import ErasureQuery
from app.api.schemas.parts.field_types import ShortText
from app.compat.deepstack.answers import succeeded
from app.compat.deepstack.calls import UNKNOWN, Call, called
from app.compat.deepstack.refusals import Refused
from app.compat.dialect_router import DialectRouter
from app.compat.person_names import find_exactly, name_of
from app.errors import ExternalIdTaken, IdentityNotFound
from app.gallery.journal.actions import Action
from app.gallery.keys.rights import Right
from app.gallery.people.text_forms import MAX_NAME_LENGTH
from app.gallery.records import NewIdentity
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.enroll.enroller import Enrollment
from app.operations.policy.face_rules import FaceRule, QualityFilter
from app.runtime.threads import reading

_ADDED, _UPDATED = "face added", "face updated"
_userid = TypeAdapter(ShortText)

router = DialectRouter()


@router.answers("POST", "/v1/vision/face/register", right=None)
async def register(request: Request) -> dict[str, Any]:
    """Add the largest face of each photo to the person of a userid, who is created if missing.

    DeepStack keeps the last registration alone; here each one adds to those before.
    """
    call = await called(request, Right.ENROLL)
    userid, photos = _new_userid(call), call.photos
    done, message = await _enrolled(call, userid, photos)
    call.services.metrics.count_enrollment(
        faces=done.new_face_count, reasons=done.rejection_reasons
    )
    return succeeded(call, "register", message=message)


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


async def _enrolled(call: Call, userid: str, photos: Sequence[bytes]) -> tuple[Enrollment, str]:
    services, collection = call.services, call.collection
    rules = services.settings.deepstack
    options = EnrollOptions(
        faces=FaceRule.LARGEST,
        quality_filter=QualityFilter(rules.quality_filter),
        force=not rules.guards,
    )
    for is_last in (False, True):
        people = await reading(find_exactly, services.gallery, collection, userid)
        try:
            if people:
                person = people[0].id
                return await services.enroll.add_faces(
                    collection, person, photos, options
                ), _UPDATED
            new = NewIdentity(name=userid, external_id=userid)
            return await services.enroll.create(collection, new, photos, options), _ADDED
        except (ExternalIdTaken, IdentityNotFound):
            # Another request made, or deleted, the person since they were looked for.
            if is_last:
                raise
    raise AssertionError  # the second try returns or raises
