"""Detection of the faces of a photo."""

from fastapi import Request
from starlette.responses import Response

from app.api.deps import CallerDep, ServicesDep
from app.compat.compreface.answers import DetectedBody, FaceBody
from app.compat.compreface.endpoints import answered
from app.compat.compreface.face_bodies import Shown
from app.compat.compreface.photos import read_photos
from app.compat.compreface.query import photo_options
from app.compat.compreface.refusals import no_face
from app.compat.dialect_router import DialectRouter
from app.gallery.keys.rights import Right
from app.recognition.select import largest_faces

router = DialectRouter()


@router.answers("POST", "/api/v1/detection/detect", right=Right.IDENTIFY)
async def detect(request: Request, services: ServicesDep, caller: CallerDep) -> Response:
    """Find the faces of a photo, largest first."""
    sent = await read_photos(request, "file")
    options = photo_options(sent.options)
    most = options.most_faces(services.settings.limits)
    shown = Shown(options, embeddings=caller.may(Right.TEMPLATES))
    if options.with_embedding and shown.embeddings:
        photo = await services.recognizer.embed(
            sent.photos["file"],
            largest_faces(most),
            detection=options.detection,
        )
        faces = [(one.face, one.embedding) for one in photo.faces]
        shown = shown.of(found=len(photo.detected), embedded=len(photo.faces))
        result = [shown.face(FaceBody, face, embedding) for face, embedding in faces]
    else:
        found = await services.recognizer.detect(sent.photos["file"], detection=options.detection)
        shown = shown.of(found=len(found.faces))
        result = [shown.face(FaceBody, face) for face in found.faces[: options.limit]]
    if not result:
        raise no_face()
    return answered(DetectedBody(result=result, plugins_versions=shown.versions(services)))
