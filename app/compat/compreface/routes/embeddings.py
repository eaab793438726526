"""Searches and comparisons by embeddings that the caller has."""

from collections.abc import Sequence
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from app.api.bodies.field_problems import invalid
from app.api.deps import CallerDep, CountedSearchesDep, ServicesDep
from app.compat.bodies import read_json
from app.compat.compreface.answers import (
    ComparedEmbeddingBody,
    ComparedEmbeddingsBody,
    RecognizedEmbeddingBody,
    RecognizedEmbeddingsBody,
)
from app.compat.compreface.endpoints import CollectionDep, answered
from app.compat.compreface.enrolled_faces import find_face
from app.compat.compreface.query import MOST_CANDIDATES, photo_options, read_query
from app.compat.compreface.refusals import field_missing
from app.compat.compreface.similarities import compared, named, named_people
from app.compat.dialect_router import DialectRouter
from app.errors import FaceNotFound
from app.gallery.journal.actions import Action
from app.gallery.keys.rights import Right
from app.gallery.search.side_comparison import FaceSide
from app.operations.identify.blocking_notes import matched
from app.operations.identify.verification import Comparison, Verification
from app.operations.identify.verify_options import VerifyOptions
from app.operations.identify.verify_sides import EmbeddingSide
from app.runtime.threads import reading
from app.services import Services

_MOST_EMBEDDINGS = 500
_MOST_NUMBERS = 4_096

router = DialectRouter()

Numbers = list[float]


class _Body(BaseModel):
    model_config = ConfigDict(allow_inf_nan=False)


BodyT = TypeVar("BodyT", bound=_Body)


class EmbeddingsBody(_Body):
    embeddings: list[Numbers] = Field(max_length=_MOST_EMBEDDINGS)


class PairsBody(_Body):
    source: Numbers = Field(max_length=_MOST_NUMBERS)
    targets: list[Numbers] = Field(max_length=_MOST_EMBEDDINGS)


@router.answers("POST", "/api/v1/recognition/embeddings/recognize", right=Right.IDENTIFY)
async def recognize_embeddings(
    request: Request,
    services: ServicesDep,
    caller: CallerDep,
    collection: CollectionDep,
    searches: CountedSearchesDep,
) -> Response:
    """Name the people of embeddings, in the order sent."""
    caller.require(Right.TEMPLATES)
    body = await _read(request, EmbeddingsBody, "embeddings")
    options = photo_options(read_query(request.scope["query_string"]))
    most = min(options.prediction_count, MOST_CANDIDATES)
    result = []
    for embedding in body.embeddings:
        searches.require()
        decision, _ = await services.identify.embedding(collection, embedding, named_people(most))
        searches.count(decision)
        kept = decision.unknown_group_id is not None
        services.metrics.count_decision("search", decision.status, kept=kept)
        services.reads.note(Action.IDENTIFIED, collection, matched([decision]))
        result.append(
            RecognizedEmbeddingBody(embedding=embedding, similarities=named(decision, most))
        )
    return answered(RecognizedEmbeddingsBody(result=result))


@router.answers(
    "POST", "/api/v1/recognition/embeddings/faces/{image_id}/verify", right=Right.IDENTIFY
)
async def verify_embeddings(
    image_id: str,
    request: Request,
    services: ServicesDep,
    caller: CallerDep,
    collection: CollectionDep,
    searches: CountedSearchesDep,
) -> Response:
    """Compare embeddings with an enrolled face, most similar first."""
    caller.require(Right.TEMPLATES)
    body = await _read(request, EmbeddingsBody, "embeddings")
    face = await reading(find_face, services.gallery, collection, image_id)
    face_id = None if face is None else face.id
    found = []
    for embedding in body.embeddings:
        searches.require()
        done = None if face_id is None else await _compare(services, collection, embedding, face_id)
        if done is None:
            face_id = None  # there is no such face: nothing is alike
        else:
            searches.count_people(done.shown_people())
            services.reads.note(Action.VERIFIED, collection, [one.id for one in done.people])
        found.append((embedding, None if done is None else done.comparisons[0]))
    return _most_similar_first(found)


async def _compare(
    services: Services, collection: str, embedding: Numbers, face_id: str
) -> Verification | None:
    """Compare an embedding with an enrolled face; None if there is no such face."""
    try:
        done = await services.verify.compare(
            EmbeddingSide(embedding), FaceSide(face_id), VerifyOptions(), collection=collection
        )
    except FaceNotFound:
        return None
    services.metrics.decisions.labels("verify", done.status).inc()
    return done


@router.answers("POST", "/api/v1/verification/embeddings/verify", right=Right.IDENTIFY)
async def compare_embeddings(
    request: Request, services: ServicesDep, caller: CallerDep
) -> Response:
    """Compare an embedding with others, most similar first."""
    caller.require(Right.TEMPLATES)
    body = await _read(request, PairsBody, "source", "targets")
    found = []
    for target in body.targets:
        done = await services.verify.compare(
            EmbeddingSide(body.source), EmbeddingSide(target), VerifyOptions()
        )
        services.metrics.decisions.labels("verify", done.status).inc()
        found.append((target, done.comparisons[0]))
    return _most_similar_first(found)


def _most_similar_first(found: Sequence[tuple[Numbers, Comparison | None]]) -> Response:
    result = [
        ComparedEmbeddingBody(embedding=embedding, similarity=compared(comparison))
        # By the cosine: in the numbers of this API, those who are surely alike are equal.
        for embedding, comparison in sorted(found, key=lambda one: -_cosine(one[1]))
    ]
    return answered(ComparedEmbeddingsBody(result=result))


def _cosine(comparison: Comparison | None) -> float:
    """The similarity; that of opposites where it is withheld."""
    shown = None if comparison is None else comparison.similarity
    return -1.0 if shown is None else shown


async def _read(request: Request, model: type[BodyT], *lists: str) -> BodyT:
    """Read a body of embeddings. Raises Refused for a list that is missing or empty."""
    sent = await read_json(request)
    if not isinstance(sent, dict):
        raise field_missing(lists[0])
    for name in lists:
        if not sent.get(name):
            raise field_missing(name)
    try:
        return model.model_validate({name: sent[name] for name in lists})
    except ValidationError as error:
        raise invalid(error, model) from error
