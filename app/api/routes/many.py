"""Many photos in one request, each answered as if it had come alone."""

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from app.api.answers import page_answer
from app.api.bodies.request_body import Body, documented_body
from app.api.deps import CollectionPath, ModelDep, ServicesDep
from app.api.problems import documented, image_problem
from app.api.routes.identify import count_decisions
from app.api.schemas.embed import EmbedAnswer, EmbedImagesAnswer, EmbedResultBody, ImagesBody
from app.api.schemas.identify import (
    IdentifyAnswer,
    IdentifyImagesAnswer,
    IdentifyImagesBody,
    IdentifyResultBody,
)
from app.api.schemas.parts.problem_bodies import ImageProblemBody
from app.operations.identify.identifier import Identification
from app.operations.identify.photo_by_photo import PhotoError, each_photo
from app.recognition.select import largest_faces

router = APIRouter(tags=["recognition"])

T = TypeVar("T")
A = TypeVar("A", bound=BaseModel)


@router.post(
    "/collections/{collection}/identify:batch",
    response_model=IdentifyImagesAnswer,
    responses=documented(404, 409, 413, 415),
    openapi_extra=documented_body(IdentifyImagesBody),
)
async def identify_many(
    collection: CollectionPath,
    body: Annotated[IdentifyImagesBody, Depends(Body(IdentifyImagesBody))],
    services: ServicesDep,
    request: Request,
) -> Response:
    """Identify the faces of many photos, by the same options, each photo with its own outcome.

    A photo that is unreadable or too large, or finds no place in the queue, has an `error` and
    leaves the others alone. Several photos are worked on at once, so what one of them adds to a
    terminal's memory, or to the unknown faces, may be there for the next or not.
    """
    options = body.options()

    async def identify(image: bytes) -> Identification:
        done = await services.identify.photo(
            collection,
            image,
            options,
            max_faces=body.max_faces,
            quality_filter=body.quality_filter,
            liveness=body.liveness,
        )
        count_decisions(services.metrics, done)
        return done

    found = await each_photo(body.images, identify, concurrency=services.recognizer.concurrency)

    def answer() -> IdentifyImagesAnswer:
        told = _told(found, IdentifyAnswer.of, request)
        return IdentifyImagesAnswer(
            results=[
                IdentifyResultBody(index=index, result=result, error=error)
                for index, (result, error) in enumerate(told)
            ]
        )

    return await page_answer(answer)


@router.post(
    "/embed:batch",
    response_model=EmbedImagesAnswer,
    responses=documented(413, 415),
    openapi_extra=documented_body(ImagesBody),
)
async def embed_many(
    body: Annotated[ImagesBody, Depends(Body(ImagesBody))],
    services: ServicesDep,
    model: ModelDep,
    request: Request,
) -> Response:
    """Embed the faces of many photos, each photo with its own outcome.

    A photo that is unreadable or too large, or finds no place in the queue, has an `error` and
    leaves the others alone.
    """
    select = largest_faces(services.settings.limits.max_faces)
    found = await each_photo(
        body.images,
        lambda image: services.recognizer.embed(image, select),
        concurrency=services.recognizer.concurrency,
    )

    def answer() -> EmbedImagesAnswer:
        told = _told(found, lambda photo: EmbedAnswer.of(photo, model), request)
        return EmbedImagesAnswer(
            results=[
                EmbedResultBody(index=index, result=result, error=error)
                for index, (result, error) in enumerate(told)
            ]
        )

    return await page_answer(answer)


def _told(
    found: Sequence[T | PhotoError], answer: Callable[[T], A], request: Request
) -> list[tuple[A | None, ImageProblemBody | None]]:
    """Of each photo, its answer or its problem."""
    return [
        (None, image_problem(one, request.state.request_id))
        if isinstance(one, PhotoError)
        else (answer(one), None)
        for one in found
    ]
