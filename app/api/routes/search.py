"""1:N search by an embedding, an enrolled face or an enrolled person."""

from app.api.audited_reads import Reads
from app.api.deps import CollectionPath, CountedSearchesDep, ServicesDep
from app.api.endpoint import Endpoints, Sent
from app.api.schemas.search import SearchAnswer, SearchBody
from app.gallery.journal.actions import Action
from app.gallery.keys.rights import Right

router = Endpoints("/collections/{collection}", tag="recognition")


@router.endpoint(
    "POST",
    "/search",
    SearchAnswer,
    right=Right.IDENTIFY,
    rights_by_field={"embedding": Right.TEMPLATES},
    problems=[409, 429],
    reads=Reads(
        Action.IDENTIFIED,
        lambda found: [] if found.identity is None else [found.identity.id],
    ),
    direct=True,
)
async def search(
    collection: CollectionPath,
    body: Sent[SearchBody],
    services: ServicesDep,
    searches: CountedSearchesDep,
) -> SearchAnswer:
    """Identify the person of an embedding, or find who else looks like an enrolled face or person.

    A caller without the right `templates` may find the same person some times an hour, and nobody
    more often; beyond that, searches are answered 429 `too_many_searches` for a while.
    """
    searches.require()
    if body.embedding is not None:
        decision, model = await services.identify.embedding(
            collection, body.embedding, body.options()
        )
    elif body.identity_id is not None:
        decision, model = await services.identify.person(
            collection, body.identity_id, body.options()
        )
    else:
        assert body.face_id is not None  # the schema demands one of the three
        decision, model = await services.identify.enrolled_face(
            collection, body.face_id, body.options()
        )
    searches.count(decision)
    kept = decision.unknown_group_id is not None
    services.metrics.count_decision("search", decision.status, kept=kept)
    return SearchAnswer.of(decision, model=model)
