"""1:N search that answers enrolled faces, of any person."""

from app.api.audited_reads import Reads
from app.api.deps import CollectionPath, CountedSearchesDep, ServicesDep
from app.api.endpoint import Endpoints, Sent
from app.api.schemas.faces_search import FacesSearchAnswer, FacesSearchBody
from app.gallery.journal.actions import Action
from app.gallery.keys.rights import Right
from app.operations.identify.face_search import FaceMatches
from app.operations.policy.decisions import Status
from app.services import Services

router = Endpoints("/collections/{collection}", tag="recognition")


@router.endpoint(
    "POST",
    "/faces:search",
    FacesSearchAnswer,
    right=Right.IDENTIFY,
    rights_by_field={"embedding": Right.TEMPLATES},
    problems=[409, 429],
    large=True,
    reads=Reads(Action.IDENTIFIED, FaceMatches.identity_ids),
)
async def search_faces(
    collection: CollectionPath,
    body: Sent[FacesSearchBody],
    services: ServicesDep,
    searches: CountedSearchesDep,
) -> FaceMatches:
    """Find the enrolled faces that are like a photo, an embedding, a face or a person.

    Each face is compared by its own embedding, and answered by itself: where /search names
    one person, this lists several faces of one or several people, up to 4,096. The threshold is
    that of a gallery of as many people as faces are searched. No answer is `ambiguous`, and no
    unknown face is kept. Searches without a photo count as those of /search do.
    """
    if body.image is None:
        searches.require()
    found = await _found(services, collection, body)
    if body.image is None:
        searches.count_people(found.identity_ids())
    outcome = Status.MATCH if found.matches else Status.UNKNOWN
    services.metrics.count_decision(
        "search", Status.REJECTED if found.rejected else outcome, kept=False
    )
    return found


async def _found(services: Services, collection: str, body: FacesSearchBody) -> FaceMatches:
    faces, options = services.search_faces, body.options()
    if body.image is not None:
        return await faces.photo(collection, body.image, options)
    if body.embedding is not None:
        return await faces.embedding(collection, body.embedding, options)
    if body.face_id is not None:
        return await faces.enrolled_face(collection, body.face_id, options)
    assert body.identity_id is not None  # the schema demands one of the four
    return await faces.person(collection, body.identity_id, options)
