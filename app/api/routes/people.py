"""People in all collections: everything that is held of one of them."""

from app.api.audited_reads import Reads
from app.api.deps import (
    CallerDep,
    CollectionPath,
    CountedSearchesDep,
    IdentityPath,
    ServicesDep,
)
from app.api.edge.callers import Caller
from app.api.endpoint import Asked, Endpoints, Sent
from app.api.person_document import PersonDocumentResponse, PersonDocumentWriter
from app.api.schemas.people import ExportByPhotoBody, ExportQuery, PersonDocument
from app.errors import RightMissing
from app.gallery.journal.actions import Action
from app.gallery.keys.rights import Right
from app.observe.acting import sees_exact_similarities
from app.operations.access.findings import Found
from app.runtime.threads import reading
from app.services import Services

router = Endpoints(tag="identities")

_EXPORTED = Reads(
    Action.PERSON_EXPORTED,
    always=True,
    by_collection=lambda response: response.found.people_by_collection,
)


@router.endpoint(
    "GET",
    "/collections/{collection}/identities/{identity_id}:export",
    PersonDocument,
    right=Right.CORRECT,
    problems=[429],
    reads=_EXPORTED,
)
async def export_identity(
    collection: CollectionPath,
    identity_id: IdentityPath,
    services: ServicesDep,
    caller: CallerDep,
    searches: CountedSearchesDep,
    query: Asked[ExportQuery],
) -> PersonDocumentResponse:
    """Return everything that is held of a person, in each collection and inbox of the key.

    Elsewhere, they are found by the same external_id, the same photo, and by their faces; each
    finding says which. Also needs the right `identify`. The lines of the audit log are there for
    keys with the right `audit`. The reading itself has a line.
    """
    _require_rights(caller, query)
    searches.require()
    found = await reading(
        services.find_person.identity,
        collection,
        identity_id,
        among=caller.collections,
        target_fmr=query.target_fmr,
    )
    if found.alike:
        searches.count_people(found.alike)
    return _document(services, found, query)


@router.endpoint(
    "POST",
    "/people:export",
    PersonDocument,
    right=Right.CORRECT,
    problems=[429],
    reads=_EXPORTED,
)
async def export_person(
    body: Sent[ExportByPhotoBody],
    services: ServicesDep,
    caller: CallerDep,
    searches: CountedSearchesDep,
) -> PersonDocumentResponse:
    """Return everything that is held of the person of a photo, as a request for access brings one.

    The document is that of `GET .../identities/{identity_id}:export`. Nothing of the photo is kept.
    Also needs the right `identify`.
    """
    _require_rights(caller, body)
    searches.require()
    found = await services.find_person.photo(
        body.image, body.faces, among=caller.collections, target_fmr=body.target_fmr
    )
    searches.count_people(found.alike)
    return _document(services, found, body)


def _require_rights(caller: Caller, query: ExportQuery) -> None:
    """Raises RightMissing."""
    caller.require(Right.IDENTIFY)
    if query.embeddings:
        caller.require(Right.TEMPLATES)
        if not sees_exact_similarities():
            # Without keys, nobody has it in this respect; see docs/security.md.
            raise RightMissing(
                "this service answers embeddings that it holds to keys with the right "
                f"{Right.TEMPLATES.value!r} only",
                right=Right.TEMPLATES.value,
            )


def _document(services: Services, found: Found, query: ExportQuery) -> PersonDocumentResponse:
    writer = PersonDocumentWriter(services.read_person, query.crops, query.embeddings)
    return PersonDocumentResponse(found, writer)
