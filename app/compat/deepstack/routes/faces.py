"""Faces of photos: found, recognised, compared."""

from collections.abc import Sequence
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from app.compat.deepstack.answers import box_of, predicted, succeeded
from app.compat.deepstack.calls import UNKNOWN, Call, called
from app.compat.deepstack.confidence import min_confidence
from app.compat.deepstack.refusals import NO_FACE_TO_COMPARE, Refused
from app.compat.dialect_router import DialectRouter
from app.compat.person_names import name_of
from app.compat.similarity import DEEPSTACK
from app.errors import NoUsableImage
from app.gallery.journal.actions import Action
from app.gallery.keys.rights import Right
from app.gallery.records import NAMED
from app.operations.identify.blocking_notes import matched
from app.operations.identify.identifier import IdentifiedFace
from app.operations.identify.verification import Verification
from app.operations.identify.verify_options import VerifyOptions
from app.operations.policy.decisions import Decision, SearchOptions, Stage, Status
from app.operations.policy.face_rules import VerifyFaces
from app.recognition.detection import Detection

RECOGNIZED_FROM = DEEPSTACK.default
"""DeepStack's `min_confidence` where none is sent."""

_NAMED = SearchOptions(top_k=1, stages=(Stage(NAMED),))
"""Anonymous people have no userid."""
_PAIR = 2

router = DialectRouter()


@router.answers("POST", "/v1/vision/face", right=None)
async def detect(request: Request) -> dict[str, Any]:
    """Find the faces of a photo; `min_confidence` is a detection score.

    Where none is sent, the service's own counts, by which faces are recognised and registered.
    """
    call = await called(request, Right.IDENTIFY)
    least = min_confidence(call)
    found = await call.services.recognizer.detect(call.photo, detection=Detection(min_score=least))
    return predicted(
        call,
        "detect",
        [{"confidence": face.score, **box_of(face)} for face in found.faces],
    )


@router.answers("POST", "/v1/vision/face/recognize", right=None)
async def recognize(request: Request) -> dict[str, Any]:
    """Name each face of a photo, or say that it is unknown."""
    call = await called(request, Right.IDENTIFY)
    least = min_confidence(call)
    if least is None:
        least = RECOGNIZED_FROM
    done = await call.services.identify.photo(call.collection, call.photo, _NAMED)
    for face in done.faces:
        kept = face.decision.unknown_group_id is not None
        call.services.metrics.count_decision("identify", face.decision.status, kept=kept)
    people = matched(face.decision for face in done.faces)
    call.services.reads.note(Action.IDENTIFIED, call.collection, people)
    return predicted(call, "recognize", [_named(face, least) for face in done.faces])


@router.answers("POST", "/v1/vision/face/match", right=None)
async def match(request: Request) -> dict[str, Any] | JSONResponse:
    """Compare the faces of two photos, of each the largest."""
    call = await called(request, Right.IDENTIFY)
    a, b = _pair(call)
    try:
        done = await call.services.verify.images(a, b, VerifyOptions(faces=VerifyFaces.LARGEST))
    except NoUsableImage:
        return _nothing_compared()
    call.services.metrics.decisions.labels("verify", done.status).inc()
    call.services.reads.note(Action.VERIFIED, None)
    if done.similarity is None:
        return _nothing_compared()
    return succeeded(call, "match", similarity=_similarity(done, done.similarity))


def _pair(call: Call) -> Sequence[bytes]:
    photos = call.photos
    if len(photos) < _PAIR:
        raise Refused("expected two image files, only one found")
    if len(photos) > _PAIR:
        raise Refused("only two images allowed")
    return photos


def _nothing_compared() -> JSONResponse:
    """DeepStack answers this by 200."""
    return JSONResponse({"success": False, "error": NO_FACE_TO_COMPARE, "duration": 0})


def _named(face: IdentifiedFace, least: float) -> dict[str, Any]:
    """A prediction. A person who is less alike than `least` is unknown, by 0."""
    userid, confidence = _best(face.decision)
    if confidence < least:
        userid, confidence = UNKNOWN, 0.0
    return {"userid": userid, "confidence": confidence, **box_of(face.face)}


def _best(decision: Decision) -> tuple[str, float]:
    """The most similar person, and how alike they are."""
    if not decision.candidates or decision.scale is None:
        return UNKNOWN, 0.0
    person, similarity = decision.candidates[0].identity, decision.candidates[0].similarity
    confidence = DEEPSTACK.of(
        decision.scale.ratio(similarity, person.threshold),
        similarity=similarity,
        threshold=decision.threshold,
        is_match=decision.status is Status.MATCH,
    )
    return name_of(person), confidence


def _similarity(done: Verification, similarity: float) -> float:
    (compared,) = done.comparisons
    return DEEPSTACK.of(
        compared.scale.ratio(similarity),
        similarity=similarity,
        threshold=done.threshold,
        is_match=done.match,
    )
