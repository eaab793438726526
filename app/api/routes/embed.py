"""Embeddings of the faces of photos."""

from app.api.deps import RequestIdDep, ServicesDep
from app.api.endpoint import Endpoints, Sent
from app.api.photo_results import results_of
from app.api.schemas.embed import EmbedAnswer, EmbedImagesAnswer, ImagesBody
from app.api.schemas.parts.photo_faces import ImageBody
from app.gallery.keys.rights import Right
from app.operations.identify.photo_by_photo import each_photo
from app.recognition.select import largest_faces

router = Endpoints(tag="recognition")


@router.endpoint("POST", "/embed", EmbedAnswer, right=Right.TEMPLATES, direct=True)
async def embed(body: Sent[ImageBody], services: ServicesDep) -> EmbedAnswer:
    """Embed the faces of a photo, for a search of your own or for /search here."""
    select = largest_faces(services.settings.limits.max_faces)
    photo = await services.recognizer.embed(body.image, select, detection=body.detection())
    return EmbedAnswer.of(photo, model=services.recognizer.model)


@router.endpoint("POST", "/embed:batch", EmbedImagesAnswer, right=Right.TEMPLATES, large=True)
async def embed_batch(
    body: Sent[ImagesBody], services: ServicesDep, request_id: RequestIdDep
) -> EmbedImagesAnswer:
    """Embed the faces of many photos, each photo with its own outcome.

    A photo that is unreadable or too large, or finds no place in the queue, has an `error` and
    leaves the others alone.
    """
    recognizer = services.recognizer
    select = largest_faces(services.settings.limits.max_faces)
    done = await each_photo(
        body.images,
        lambda image: recognizer.embed(image, select, detection=body.detection()),
        concurrency=recognizer.concurrency,
    )
    return await results_of(
        done,
        EmbedImagesAnswer,
        lambda photo: EmbedAnswer.of(photo, model=recognizer.model),
        request_id,
    )
