"""Recognition of the faces of a photo."""

from fastapi import Request
from starlette.responses import Response

from app.api.deps import CallerDep, ServicesDep
from app.compat.compreface.answers import RecognizedBody, RecognizedFaceBody
from app.compat.compreface.endpoints import CollectionDep, answered
from app.compat.compreface.face_bodies import Shown
from app.compat.compreface.photos import read_photos
from app.compat.compreface.query import MOST_CANDIDATES, photo_options
from app.compat.compreface.refusals import no_face
from app.compat.compreface.similarities import named, named_people
from app.compat.dialect_router import DialectRouter
from app.gallery.journal.actions import Action
from app.gallery.keys.rights import Right
from app.operations.identify.blocking_notes import matched

router = DialectRouter()


@router.answers("POST", "/api/v1/recognition/recognize", right=Right.IDENTIFY)
async def recognize(
    request: Request, services: ServicesDep, caller: CallerDep, collection: CollectionDep
) -> Response:
    """Name the faces of a photo, largest first."""
    sent = await read_photos(request, "file")
    options = photo_options(sent.options)
    most = min(options.prediction_count, MOST_CANDIDATES)
    done = await services.identify.photo(
        collection,
        sent.photos["file"],
        named_people(most),
        max_faces=options.most_faces(services.settings.limits),
        detection=options.detection,
    )
    for face in done.faces:
        kept = face.decision.unknown_group_id is not None
        services.metrics.count_decision("identify", face.decision.status, kept=kept)
    services.reads.note(
        Action.IDENTIFIED, collection, matched(face.decision for face in done.faces)
    )
    if not done.faces:
        raise no_face()
    shown = Shown(options, embeddings=caller.may(Right.TEMPLATES)).of(
        found=done.faces_found, embedded=len(done.faces)
    )
    return answered(
        RecognizedBody(
            result=[
                shown.face(
                    RecognizedFaceBody,
                    face.face,
                    face.embedding,
                    subjects=named(face.decision, most),
                )
                for face in done.faces
            ],
            plugins_versions=shown.versions(services),
        )
    )
