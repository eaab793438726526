"""1:1 verification."""

from app.api.audited_reads import Reads
from app.api.deps import CountedSearchesDep, ServicesDep
from app.api.endpoint import Endpoints, Sent
from app.api.schemas.verify import VerifyAnswer, VerifyBody
from app.gallery.journal.actions import Action
from app.gallery.keys.rights import Right
from app.operations.identify.verification import Verification

router = Endpoints(tag="recognition")


def _compared_with(done: Verification) -> list[str]:
    return [person.id for person in done.people]


@router.endpoint(
    "POST",
    "/verify",
    VerifyAnswer,
    right=Right.IDENTIFY,
    rights_by_field={"embedding_a": Right.TEMPLATES, "embedding_b": Right.TEMPLATES},
    problems=[404, 409, 429],
    reads=Reads(Action.VERIFIED, _compared_with),
    direct=True,
)
async def verify(
    body: Sent[VerifyBody], services: ServicesDep, searches: CountedSearchesDep
) -> Verification:
    """Compare two of these: photos, embeddings, enrolled faces, enrolled people.

    A face that is not good enough for `quality_filter` is not compared: the status is `rejected`.
    With `faces=any`, each face of a group is compared, and `comparisons` says which is how alike;
    the more there are, the more alike a match must be for the same `target_fmr`. People are
    compared by the mean of their faces. Comparisons of what is enrolled without a photo count as
    searches do, for a caller without the right `templates`.
    """
    counts = body.collection is not None and not body.brings_photo()
    if counts:
        searches.require()
    a, b = body.sides()
    done = await services.verify.compare(a, b, body.options(), collection=body.collection)
    if counts:
        searches.count_people(done.shown_people())
    services.metrics.decisions.labels("verify", done.status).inc()
    return done
