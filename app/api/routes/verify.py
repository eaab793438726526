"""1:1 verification."""

from app.api.audited_reads import Reads
from app.api.deps import ServicesDep
from app.api.endpoint import Endpoints, Sent
from app.api.schemas.verify import VerifyAnswer, VerifyBody
from app.gallery.journal.actions import Action
from app.gallery.keys.rights import Right
from app.operations.identify.verifier import Verification

router = Endpoints(tag="recognition")


def _compared_with(done: Verification) -> list[str]:
    return [] if done.identity is None else [done.identity.id]


@router.endpoint(
    "POST",
    "/verify",
    VerifyAnswer,
    right=Right.IDENTIFY,
    problems=[404, 409],
    reads=Reads(Action.VERIFIED, _compared_with),
)
async def verify(body: Sent[VerifyBody], services: ServicesDep) -> Verification:
    """Compare two photos, or a photo with an enrolled person.

    A face that is not good enough for `quality_filter` is not compared: the status is `rejected`.
    With `faces=any`, each face of a group is compared, and `comparisons` says which is how alike;
    the more there are, the more alike a match must be for the same `target_fmr`.
    """
    if body.image_a is not None and body.image_b is not None:
        done = await services.verify.images(body.image_a, body.image_b, body.options())
    else:
        # The schema refuses a body in which one of these is missing.
        assert body.image is not None
        assert body.collection is not None
        assert body.identity_id is not None
        done = await services.verify.identity(
            body.image, body.collection, body.identity_id, body.options()
        )
    services.metrics.decisions.labels("verify", done.status).inc()
    return done
