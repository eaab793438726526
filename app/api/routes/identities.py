"""Identities: the people of a collection."""

from app.api.audited_reads import Reads
from app.api.deps import NO_EXPORT, CollectionPath, IdentityPath, ServicesDep
from app.api.endpoint import Asked, Endpoints, OnceDep, Sent
from app.api.erasing import erase
from app.api.schemas.identities import (
    DeletePeopleAnswer,
    DeletePeopleBody,
    DeletePersonQuery,
    EnrollBody,
    IdentityPage,
    IdentityQuery,
    MergeAnswer,
    MergeBody,
    PatchIdentityBody,
)
from app.api.schemas.parts.enrolment import EnrollmentBody
from app.api.schemas.parts.erasure import ErasureBody
from app.api.schemas.parts.person import ShownIdentityBody
from app.gallery.journal.actions import Action
from app.gallery.keys.rights import Right
from app.gallery.people.correction_records import Merged, PeopleDeletion
from app.gallery.records import Erasure, Identity, Page
from app.operations.enroll.enroller import Enrollment
from app.runtime.threads import reading, writing

_PERSON = f"/{{identity_id:{NO_EXPORT}}}"

router = Endpoints("/collections/{collection}/identities", tag="identities")


@router.endpoint("POST", "", EnrollmentBody, right=Right.ENROLL, status=201, problems=[409])
async def enroll_identity(
    collection: CollectionPath, body: Sent[EnrollBody], services: ServicesDep, once: OnceDep
) -> Enrollment:
    """Enroll a person from photos of one face each.

    Photos that cannot be used are listed in `rejected` with reasons; when none can, the answer is
    422 and nothing is created. Photos that seem to show a person who is enrolled already, or
    several people, are rejected as well, unless `force` is sent; when that leaves none, the answer
    is 409.
    """
    done = await services.enroll.create(
        collection,
        body.new_identity(),
        body.images,
        body.options(),
        once=once,
    )
    services.metrics.count_enrollment(faces=done.new_face_count, reasons=done.rejection_reasons)
    return done


@router.endpoint(
    "GET", "", IdentityPage, right=Right.READ, large=True, reads=Reads(Action.IDENTITIES_LISTED)
)
async def list_identities(
    collection: CollectionPath, services: ServicesDep, query: Asked[IdentityQuery]
) -> Page[Identity]:
    """List people, oldest first: all, or those whose name or external_id is, or begins, as sent.

    By `cursor`, or by the number of a page.
    """
    people = services.gallery.people
    if query.page is None:
        return await reading(
            people.page, collection, query.wanted(), limit=query.limit, cursor=query.cursor
        )
    return await reading(
        people.numbered, collection, query.wanted(), page=query.page, size=query.limit
    )


@router.endpoint(
    "GET",
    _PERSON,
    ShownIdentityBody,
    right=Right.READ,
    reads=Reads(Action.IDENTITY_READ, lambda person: [person.id]),
)
async def get_identity(
    collection: CollectionPath, identity_id: IdentityPath, services: ServicesDep
) -> Identity:
    """Return one person."""
    return await reading(services.gallery.people.get, collection, identity_id)


@router.endpoint("PATCH", _PERSON, ShownIdentityBody, right=Right.CORRECT, problems=[409])
async def update_identity(
    collection: CollectionPath,
    identity_id: IdentityPath,
    body: Sent[PatchIdentityBody],
    services: ServicesDep,
) -> Identity:
    """Change what is known of a person; fields that are left out stay as they are."""
    return await writing(
        services.gallery.people.update,
        collection,
        identity_id,
        body.changes(),
        if_revision=body.if_revision,
    )


@router.endpoint("DELETE", _PERSON, ErasureBody, right=Right.CORRECT, problems=[409])
async def delete_identity(
    collection: CollectionPath,
    identity_id: IdentityPath,
    services: ServicesDep,
    query: Asked[DeletePersonQuery],
) -> Erasure:
    """Delete a person with all their faces. From this answer on, no search finds them.

    With `keep_faces`, the faces stay, each with an anonymous person of its own.
    """
    if query.keep_faces:
        done = await services.assign.dissolve(collection, identity_id, compact=query.compact)
        return done.erasure
    return await erase(query, services.gallery.people.delete, collection, identity_id)


@router.endpoint("POST", ":merge", MergeAnswer, right=Right.CORRECT, problems=[409])
async def merge_identities(
    collection: CollectionPath, body: Sent[MergeBody], services: ServicesDep, once: OnceDep
) -> Merged:
    """Merge people who are one person: `into` stays, those of `from` become part of them.

    All their faces become `into`'s. Each field of `into` stays; a missing one is taken over from
    the first of `from` that has it, attributes key by key. The earliest `expires_at` and the
    highest `threshold` count. The same picture is kept once. The guards are not asked, and a merge
    cannot be undone.
    """
    return await writing(
        services.gallery.corrections.merge,
        collection,
        body.into,
        body.sources,
        if_revision=body.if_revision,
        once=once,
    )


@router.endpoint("POST", ":delete", DeletePeopleAnswer, right=Right.CORRECT, problems=[409])
async def delete_identities(
    collection: CollectionPath, body: Sent[DeletePeopleBody], services: ServicesDep, once: OnceDep
) -> PeopleDeletion:
    """Delete the people whom a filter finds, with all their faces.

    A filter with conditions finds at most 10,000 at once, an empty one all people. Without
    `confirm_count` nothing is deleted, and the answer says how many there are. Sent again with this
    number, they are deleted if they are still as many.
    """
    return await services.correct.delete_people(
        collection,
        body.filter.people(),
        confirmed=body.confirm_count,
        if_revision=body.if_revision,
        compact=body.compact,
        once=once,
    )
