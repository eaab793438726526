"""Comparison of the faces of a photo with an enrolled face."""

from fastapi import Request
from starlette.responses import Response

from app.api.deps import CallerDep, ServicesDep
from app.compat.compreface.answers import ComparedWithExampleBody, NamedFaceBody
from app.compat.compreface.comparing import Match, matches_of, verify_options
from app.compat.compreface.endpoints import CollectionDep, answered
from app.compat.compreface.enrolled_faces import find_face
from app.compat.compreface.face_bodies import Shown
from app.compat.compreface.photos import read_photos
from app.compat.compreface.query import PhotoOptions, photo_options
from app.compat.compreface.refusals import no_face
from app.compat.dialect_router import DialectRouter
from app.compat.person_names import name_of
from app.errors import FaceNotFound
from app.gallery.journal.actions import Action
from app.gallery.keys.rights import Right
from app.gallery.search.side_comparison import FaceSide
from app.operations.identify.verify_sides import PhotoSide
from app.runtime.threads import reading
from app.services import Services

router = DialectRouter()


@router.answers("POST", "/api/v1/recognition/faces/{image_id}/verify", right=Right.IDENTIFY)
async def verify_face(
    image_id: str,
    request: Request,
    services: ServicesDep,
    caller: CallerDep,
    collection: CollectionDep,
) -> Response:
    """Compare each face of a photo with an enrolled one, largest first.

    An id of no face is answered as CompreFace does: no subject, and nothing alike.
    """
    sent = await read_photos(request, "file")
    options = photo_options(sent.options)
    photo = sent.photos["file"]
    face = await reading(find_face, services.gallery, collection, image_id)
    face_id = None if face is None else face.id
    subject, matches = await _compare(services, collection, face_id, photo, options)
    shown = Shown(options, embeddings=caller.may(Right.TEMPLATES)).of(
        found=len(matches), embedded=len(matches) if subject else 0
    )
    return answered(
        ComparedWithExampleBody(
            result=[
                shown.face(
                    NamedFaceBody,
                    match.face,
                    match.embedding,
                    subject=subject,
                    similarity=match.similarity,
                )
                for match in matches
            ],
            plugins_versions=shown.versions(services),
        )
    )


async def _compare(
    services: Services,
    collection: str,
    face_id: str | None,
    photo: bytes,
    options: PhotoOptions,
) -> tuple[str, list[Match]]:
    """Return the subject of the enrolled face, and the faces of the photo."""
    if face_id is not None:
        try:
            done = await services.verify.compare(
                PhotoSide(photo, name="file"),
                FaceSide(face_id),
                verify_options(options, services.settings.limits),
                collection=collection,
            )
        except FaceNotFound:
            pass
        else:
            assert done.enrolled_b is not None  # side b is an enrolled face
            owner = done.enrolled_b.identity
            services.metrics.decisions.labels("verify", done.status).inc()
            services.reads.note(Action.VERIFIED, collection, [owner.id])
            return name_of(owner), matches_of(done, photo=0)
    found = await services.recognizer.detect(photo, detection=options.detection)
    if not found.faces:
        raise no_face()
    return "", [Match(face, None, 0.0) for face in found.faces[: options.limit]]
