"""Subjects: the people of a collection, by name."""

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from app.api.deps import ServicesDep
from app.api.idempotency import IdempotencyKey, answer_once
from app.compat.bodies import read_json
from app.compat.compreface.answers import DeletedBody, SubjectBody, SubjectsBody, UpdatedBody
from app.compat.compreface.endpoints import CollectionDep, SubjectDep, answered
from app.compat.compreface.refusals import (
    field_missing,
    malformed,
    subject_exists,
    subject_not_found,
)
from app.compat.compreface.subject_names import find_subject, require_name
from app.compat.dialect_router import DialectRouter
from app.compat.person_names import name_of
from app.errors import ExternalIdTaken
from app.gallery.journal.actions import Action
from app.gallery.keys.rights import Right
from app.gallery.records import NAMED, UNSET, Identity, IdentityChanges, NewIdentity
from app.gallery.store.idempotency import Once
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.enroll.enroller import Enrollment
from app.runtime.threads import reading, writing
from app.services import Services

_SUBJECTS = "/api/v1/recognition/subjects"

router = DialectRouter()


class _NewSubject(BaseModel):
    """What a request to add a subject says, as it was understood."""

    collection: str
    subject: str


@router.answers("GET", _SUBJECTS, right=Right.READ)
async def list_subjects(services: ServicesDep, collection: CollectionDep) -> Response:
    """List all subjects at once, also those without faces."""
    people = await reading(services.gallery.people.labels, collection)
    services.reads.note(Action.IDENTITIES_LISTED, collection)
    return answered(SubjectsBody(subjects=[name_of(person) for person in people]))


@router.answers("POST", _SUBJECTS, right=Right.ENROLL)
async def add_subject(
    request: Request,
    services: ServicesDep,
    collection: CollectionDep,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Add a subject without faces."""
    name = require_name(await _sent_name(request))
    new = _NewSubject(collection=collection, subject=name)

    async def add(once: Once[Enrollment] | None) -> Enrollment:
        if await reading(find_subject, services.gallery, collection, name) is not None:
            raise subject_exists()
        person = NewIdentity(name=name, external_id=name)
        try:
            return await services.enroll.create(collection, person, (), EnrollOptions(), once=once)
        except ExternalIdTaken as error:  # by a request at the same time
            raise subject_exists() from error

    def answer(_: Enrollment) -> tuple[int, BaseModel]:
        return 201, SubjectBody(subject=name)

    return await answer_once(request, idempotency_key, new, services.gallery, add, answer)


@router.answers("PUT", f"{_SUBJECTS}/{{subject:path}}", right=Right.CORRECT)
async def rename_subject(
    subject: SubjectDep, request: Request, services: ServicesDep, collection: CollectionDep
) -> Response:
    """Rename a subject. A name that another subject has makes the two one: that one stays."""
    new = await _sent_name(request)
    person = await _require(services, collection, subject)
    if new == name_of(person):
        return answered(UpdatedBody(updated=False))
    other = await reading(find_subject, services.gallery, collection, new)
    if other is not None and other.id != person.id:
        await writing(services.gallery.corrections.merge, collection, other.id, [person.id])
    else:
        changes = _renamed(person, require_name(new))
        await writing(services.gallery.people.update, collection, person.id, changes)
    return answered(UpdatedBody(updated=True))


@router.answers("DELETE", f"{_SUBJECTS}/{{subject:path}}", right=Right.CORRECT)
async def delete_subject(
    subject: SubjectDep, services: ServicesDep, collection: CollectionDep
) -> Response:
    """Delete a subject with all its faces."""
    person = await _require(services, collection, subject)
    await writing(services.gallery.people.delete, collection, person.id)
    return answered(SubjectBody(subject=name_of(person)))


@router.answers("DELETE", _SUBJECTS, right=Right.CORRECT)
async def delete_subjects(services: ServicesDep, collection: CollectionDep) -> Response:
    """Delete all subjects with all their faces; the answer counts subjects."""
    done = await services.correct.delete_everybody(collection, wanted=NAMED)
    return answered(DeletedBody(deleted=done.found.people))


async def _require(services: Services, collection: str, name: str) -> Identity:
    person = await reading(find_subject, services.gallery, collection, name)
    if person is None:
        raise subject_not_found(name)
    return person


def _renamed(person: Identity, new: str) -> IdentityChanges:
    """Return what a rename changes: the field that the subject is named by, and a name that says
    the same."""
    is_named_alike = person.external_id is None or person.name in (None, person.external_id)
    return IdentityChanges(
        name=new if is_named_alike else UNSET,
        external_id=UNSET if person.external_id is None and person.name is not None else new,
    )


async def _sent_name(request: Request) -> str:
    body = await read_json(request)
    if not isinstance(body, dict):
        raise malformed("the body must be a JSON object")
    name = body.get("subject")
    if name is None:
        raise field_missing("subject")
    if not isinstance(name, str):
        raise malformed("subject must be a text")
    return name
