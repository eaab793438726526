"""Comparison of the face of one photo with the faces of another."""

from fastapi import Request
from starlette.responses import Response

from app.api.deps import CallerDep, ServicesDep
from app.compat.compreface.answers import ComparedFaceBody, ComparedPhotosBody, FaceBody, PairBody
from app.compat.compreface.comparing import matches_of, source_rule, verify_options
from app.compat.compreface.endpoints import answered
from app.compat.compreface.face_bodies import Shown
from app.compat.compreface.photos import read_photos
from app.compat.compreface.query import photo_options
from app.compat.dialect_router import DialectRouter
from app.gallery.journal.actions import Action
from app.gallery.keys.rights import Right
from app.operations.identify.verify_sides import PhotoSide

_SOURCE, _TARGET = 0, 1

router = DialectRouter()


@router.answers("POST", "/api/v1/verification/verify", right=Right.IDENTIFY)
async def verify(request: Request, services: ServicesDep, caller: CallerDep) -> Response:
    """Compare the one face of `source_image` with each face of `target_image`, largest first."""
    sent = await read_photos(request, "source_image", "target_image")
    options = photo_options(sent.options)
    done = await services.verify.compare(
        PhotoSide(sent.photos["source_image"], source_rule(options), "source_image"),
        PhotoSide(sent.photos["target_image"], name="target_image"),
        verify_options(options, services.settings.limits),
    )
    services.metrics.decisions.labels("verify", done.status).inc()
    services.reads.note(Action.VERIFIED, None)
    matches = matches_of(done, photo=_TARGET)
    shown = Shown(options, embeddings=caller.may(Right.TEMPLATES)).of(
        found=1 + len(matches), embedded=1 + len(matches)
    )
    source = done.comparisons[0].embedded[_SOURCE] if done.comparisons else None
    pair = PairBody(
        source_image_face=shown.face(
            FaceBody, done.faces[_SOURCE], None if source is None else source.embedding
        ),
        face_matches=[
            shown.face(ComparedFaceBody, match.face, match.embedding, similarity=match.similarity)
            for match in matches
        ],
        plugins_versions=shown.versions(services),
    )
    return answered(ComparedPhotosBody(result=[pair]))
