"""1:N identification, from a photo, an embedding or an enrolled face."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from app.api.answers import answer
from app.api.bodies.request_body import Body, documented_body
from app.api.deps import CollectionPath, ServicesDep
from app.api.problems import documented
from app.api.schemas.identify import IdentifyAnswer, IdentifyBody
from app.api.schemas.search import SearchAnswer, SearchBody
from app.observe.metrics import Metrics
from app.operations.identify.identifier import Identification

router = APIRouter(prefix="/collections/{collection}", tags=["recognition"])


@router.post(
    "/identify",
    response_model=IdentifyAnswer,
    responses=documented(404, 409, 413, 415),
    openapi_extra=documented_body(IdentifyBody),
)
async def identify(
    collection: CollectionPath,
    body: Annotated[IdentifyBody, Depends(Body(IdentifyBody))],
    services: ServicesDep,
) -> Response:
    """Say of every face in a photo who it is, or that it is unknown.

    A face that is not good enough for `quality_filter` is `rejected` with reasons, not searched.
    """
    done = await services.identify.photo(
        collection,
        body.image,
        body.options(),
        max_faces=body.max_faces,
        quality_filter=body.quality_filter,
        liveness=body.liveness,
    )
    count_decisions(services.metrics, done)
    return answer(IdentifyAnswer.of(done))


@router.post(
    "/search",
    response_model=SearchAnswer,
    responses=documented(404, 409, 413, 415),
    openapi_extra=documented_body(SearchBody),
)
async def search(
    collection: CollectionPath,
    body: Annotated[SearchBody, Depends(Body(SearchBody))],
    services: ServicesDep,
) -> Response:
    """Say whose an embedding is, or who else looks like an enrolled face."""
    if body.embedding is not None:
        decision, model = await services.identify.embedding(
            collection, body.embedding, body.options()
        )
    else:
        assert body.face_id is not None  # the schema wants one of the two
        decision, model = await services.identify.enrolled_face(
            collection, body.face_id, body.options()
        )
    kept = decision.unknown_group_id is not None
    services.metrics.count_decision("search", decision.status, kept=kept)
    return answer(SearchAnswer.of_decision(decision, model))


def count_decisions(metrics: Metrics, done: Identification) -> None:
    for face in done.faces:
        kept = face.decision.unknown_group_id is not None
        metrics.count_decision("identify", face.decision.status, kept=kept)
