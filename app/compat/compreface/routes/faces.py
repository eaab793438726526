"""Faces: the enrolled examples of subjects."""

from math import ceil

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from app.api.deps import ServicesDep
from app.api.idempotency import IdempotencyKey, answer_once
from app.compat.bodies import read_json
from app.compat.compreface.answers import DeletedBody, ExampleBody, ExamplesBody
from app.compat.compreface.endpoints import CollectionDep, answered, answered_list
from app.compat.compreface.enrolled_faces import find_face
from app.compat.compreface.examples import NewExample, add_example
from app.compat.compreface.image_ids import face_id_of, image_id_of
from app.compat.compreface.photos import read_photos
from app.compat.compreface.query import page_options, photo_options, read_query
from app.compat.compreface.refusals import (
    face_not_found,
    field_missing,
    malformed,
    option_missing,
)
from app.compat.compreface.subject_names import find_subject, require_given
from app.compat.dialect_router import DialectRouter
from app.compat.person_names import find_exactly, name_of
from app.errors import FaceNotFound
from app.gallery.journal.actions import Action
from app.gallery.keys.rights import Right
from app.gallery.people.correction_records import DeletedFace
from app.gallery.records import NAMED, FaceFilter
from app.gallery.store.idempotency import Once
from app.operations.enroll.enroller import Enrollment
from app.runtime.threads import reading, writing

_FACES = "/api/v1/recognition/faces"

router = DialectRouter()


@router.answers("POST", _FACES, right=Right.ENROLL)
async def add_face(
    request: Request,
    services: ServicesDep,
    collection: CollectionDep,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Enroll the face of a photo as an example of a subject, which is made if it is not there."""
    sent = await read_photos(request, "file")
    if "subject" not in sent.options:
        raise option_missing("subject")
    subject = require_given(sent.options["subject"])
    new = NewExample(
        collection=collection,
        subject=subject,
        photo=sent.photos["file"],
        min_probability=photo_options(sent.options).min_probability,
    )

    async def add(once: Once[Enrollment] | None) -> Enrollment:
        done = await add_example(services, new, once)
        services.metrics.count_enrollment(faces=done.new_face_count, reasons=done.rejection_reasons)
        return done

    def answer(done: Enrollment) -> tuple[int, BaseModel]:
        return 201, ExampleBody(image_id=image_id_of(done.faces[0].face.id), subject=subject)

    return await answer_once(request, idempotency_key, new, services.gallery, add, answer)


@router.answers("GET", _FACES, right=Right.READ)
async def list_faces(
    request: Request, services: ServicesDep, collection: CollectionDep
) -> Response:
    """List faces by page, oldest first: all, or those of one subject, spelt exactly."""
    sent = read_query(request.scope["query_string"])
    page = page_options(sent)
    subject = sent.get("subject", "")

    def listed() -> ExamplesBody:
        wanted = FaceFilter(anonymous=False)
        if subject:
            people = find_exactly(services.gallery, collection, subject)
            wanted = FaceFilter(identity_ids=tuple(person.id for person in people))
        found = services.gallery.faces.numbered(collection, wanted, page=page.page, size=page.size)
        services.reads.note(
            Action.FACES_LISTED, collection, [face.identity.id for face in found.items]
        )
        total = found.total_count or 0
        return ExamplesBody(
            faces=[
                ExampleBody(image_id=image_id_of(face.id), subject=name_of(face.identity))
                for face in found.items
            ],
            page_number=page.page,
            page_size=page.size,
            total_pages=ceil(total / page.size),
            total_elements=total,
        )

    return answered(await reading(listed))


@router.answers("DELETE", _FACES, right=Right.CORRECT)
async def delete_faces(
    request: Request, services: ServicesDep, collection: CollectionDep
) -> Response:
    """Delete a subject with its faces, or without a `subject` all of them; the answer counts faces.

    A subject that is not there has no faces: that is no error, as clients delete before they train.
    """
    sent = read_query(request.scope["query_string"])
    if "subject" not in sent:
        done = await services.correct.delete_everybody(collection, wanted=NAMED)
        return answered(DeletedBody(deleted=done.found.faces))
    name = require_given(sent["subject"])
    person = await reading(find_subject, services.gallery, collection, name)
    if person is None:
        return answered(DeletedBody(deleted=0))
    erasure = await writing(services.gallery.people.delete, collection, person.id)
    return answered(DeletedBody(deleted=erasure.face_count))


@router.answers("POST", f"{_FACES}/delete", right=Right.CORRECT)
async def delete_some_faces(
    request: Request, services: ServicesDep, collection: CollectionDep
) -> Response:
    """Delete faces by id. The answer leaves out ids of no face, and of people who are held or
    anonymous."""
    image_ids = await read_json(request)
    if not isinstance(image_ids, list) or not all(isinstance(one, str) for one in image_ids):
        raise malformed("the body must be a list of image ids")
    if not image_ids:
        raise field_missing("image_id")
    face_ids = [found for one in image_ids if (found := face_id_of(one)) is not None]
    if not face_ids:
        return answered_list([])
    done = await services.correct.delete_faces(
        collection, face_ids, spare=lambda person: person.anonymous
    )
    return answered_list([_example_of(face) for face in done.deleted])


@router.answers("DELETE", f"{_FACES}/{{image_id}}", right=Right.CORRECT)
async def delete_face(image_id: str, services: ServicesDep, collection: CollectionDep) -> Response:
    """Delete one face. The subject stays, even without faces."""
    face = await reading(find_face, services.gallery, collection, image_id)
    if face is None:
        raise face_not_found(image_id)
    try:
        await writing(services.gallery.faces.delete_by_id, collection, face.id)
    except FaceNotFound as error:  # deleted by another request
        raise face_not_found(image_id) from error
    return answered(ExampleBody(image_id=image_id_of(face.id), subject=name_of(face.identity)))


def _example_of(face: DeletedFace) -> ExampleBody:
    return ExampleBody(image_id=image_id_of(face.face_id), subject=name_of(face.identity))
