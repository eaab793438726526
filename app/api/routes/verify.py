"""1:1 verification."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from app.api.answers import answer
from app.api.bodies.request_body import Body, documented_body
from app.api.deps import ServicesDep
from app.api.problems import documented
from app.api.schemas.parts.decision import ErrorRateBody
from app.api.schemas.parts.enrolment import PassedOverBody
from app.api.schemas.parts.model_body import ModelBody
from app.api.schemas.parts.person import IdentityBody
from app.api.schemas.parts.problem_bodies import RejectedImageBody
from app.api.schemas.verify import ComparedFaceBody, ComparisonBody, VerifyAnswer, VerifyBody
from app.operations.enroll.enroller import PassedOverFace

router = APIRouter(tags=["recognition"])


@router.post(
    "/verify",
    response_model=VerifyAnswer,
    responses=documented(404, 409, 413, 415),
    openapi_extra=documented_body(VerifyBody),
)
async def verify(
    body: Annotated[VerifyBody, Depends(Body(VerifyBody))],
    services: ServicesDep,
) -> Response:
    """Compare two photos, or a photo with an enrolled person.

    A face that is not good enough for `quality_filter` is not compared: the status is `rejected`.
    With `faces=any`, each face of a group is compared, and `comparisons` says which is how alike;
    the more there are, the more alike a match must be for the same `target_fmr`.
    """
    if body.image_a is not None and body.image_b is not None:
        done = await services.verify.images(
            body.image_a,
            body.image_b,
            rule=body.faces,
            threshold=body.threshold,
            target_fmr=body.target_fmr,
            quality_filter=body.quality_filter,
            liveness=body.liveness,
        )
    else:
        # The schema lets nothing through in which one of these is missing.
        assert body.image is not None
        assert body.collection is not None
        assert body.identity_id is not None
        done = await services.verify.identity(
            body.image,
            body.collection,
            body.identity_id,
            rule=body.faces,
            threshold=body.threshold,
            target_fmr=body.target_fmr,
            quality_filter=body.quality_filter,
            liveness=body.liveness,
        )
    services.metrics.decisions.labels("verify", done.status).inc()
    return answer(
        VerifyAnswer(
            status=done.status,
            match=done.match,
            similarity=done.similarity,
            threshold=done.threshold,
            fmr=ErrorRateBody.of(done.fmr),
            rate_reason=done.rate_reason,
            rejected=[RejectedImageBody.of(image) for image in done.rejected],
            faces=[ComparedFaceBody.of(face) for face in done.faces],
            comparisons=[ComparisonBody.of(found) for found in done.comparisons],
            passed_over=[
                PassedOverBody.of(PassedOverFace(face, index)) for index, face in done.passed_over
            ],
            identity=None if done.identity is None else IdentityBody.of(done.identity),
            face_id=done.face_id,
            examples=done.examples,
            model=ModelBody.of(done.model),
        )
    )
