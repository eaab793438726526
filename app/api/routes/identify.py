"""1:N identification of the faces of photos."""

from app.api.audited_reads import Reads
from app.api.deps import CollectionPath, RequestIdDep, ServicesDep
from app.api.endpoint import Endpoints, Sent
from app.api.photo_results import results_of
from app.api.schemas.identify import (
    IdentifyAnswer,
    IdentifyBody,
    IdentifyImagesAnswer,
    IdentifyImagesBody,
    IdentifyOptionsBody,
)
from app.gallery.journal.actions import Action
from app.gallery.keys.rights import Right
from app.operations.identify.blocking_notes import matched
from app.operations.identify.identifier import Identification
from app.operations.identify.photo_by_photo import each_photo
from app.services import Services

router = Endpoints("/collections/{collection}", tag="recognition")


def _matched_on_all(answer: IdentifyImagesAnswer) -> list[str]:
    """The ids of the people who were recognised on any of the photos."""
    photos = [one.result for one in answer.results if one.result is not None]
    faces = [face for photo in photos for face in photo.faces]
    return [face.identity.id for face in faces if face.identity is not None]


@router.endpoint(
    "POST",
    "/identify",
    IdentifyAnswer,
    right=Right.IDENTIFY,
    problems=[409],
    reads=Reads(Action.IDENTIFIED, lambda done: matched(face.decision for face in done.faces)),
    direct=True,
)
async def identify(
    collection: CollectionPath, body: Sent[IdentifyBody], services: ServicesDep
) -> Identification:
    """Identify every face of a photo: who it is, or that it is unknown.

    A face that is not good enough for `quality_filter` is `rejected` with reasons, not searched.
    """
    return await _identify(services, collection, body.image, body)


@router.endpoint(
    "POST",
    "/identify:batch",
    IdentifyImagesAnswer,
    right=Right.IDENTIFY,
    problems=[409],
    large=True,
    reads=Reads(Action.IDENTIFIED, _matched_on_all),
)
async def identify_batch(
    collection: CollectionPath,
    body: Sent[IdentifyImagesBody],
    services: ServicesDep,
    request_id: RequestIdDep,
) -> IdentifyImagesAnswer:
    """Identify the faces of many photos, by the same options, each photo with its own outcome.

    A photo that is unreadable or too large, or finds no place in the queue, has an `error` and
    leaves the others alone. Several photos are worked on at once, so what one of them adds to a
    terminal's memory, or to the unknown faces, may be there for the next or not.
    """
    done = await each_photo(
        body.images,
        lambda image: _identify(services, collection, image, body),
        concurrency=services.recognizer.concurrency,
    )
    return await results_of(done, IdentifyImagesAnswer, IdentifyAnswer.of, request_id)


async def _identify(
    services: Services, collection: str, image: bytes, options: IdentifyOptionsBody
) -> Identification:
    done = await services.identify.photo(
        collection,
        image,
        options.options(),
        max_faces=options.max_faces,
        quality_filter=options.quality_filter,
        liveness=options.liveness,
        detection=options.detection(),
    )
    for face in done.faces:
        kept = face.decision.unknown_group_id is not None
        services.metrics.count_decision("identify", face.decision.status, kept=kept)
    return done
