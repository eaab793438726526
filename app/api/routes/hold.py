"""Legal holds: people who are not erased, by nobody and by no retention period."""

from app.api.deps import CollectionPath, IdentityPath, ServicesDep
from app.api.endpoint import Endpoints, Sent
from app.api.schemas.hold import HoldAnswer, SetHoldBody
from app.api.schemas.parts.person import HoldBody
from app.gallery.keys.rights import Right
from app.runtime.threads import writing

router = Endpoints("/collections/{collection}/identities/{identity_id}/hold", tag="identities")


@router.endpoint("PUT", "", HoldAnswer, right=Right.CORRECT)
async def set_hold(
    collection: CollectionPath,
    identity_id: IdentityPath,
    body: Sent[SetHoldBody],
    services: ServicesDep,
) -> HoldAnswer:
    """Put a person under a legal hold: until it is lifted, they are not erased.

    Deletions of the person, their faces and the collection are answered 409 `held`, as are merges
    into another person. When `expires_at` is over, the person is in no answer of a search, and
    stays in the database. A person who is held already gets the new reason.
    """
    found, hold = await writing(services.gallery.holds.set, collection, identity_id, body.reason)
    return HoldAnswer(identity_id=found, hold=HoldBody.of(hold))


@router.endpoint("DELETE", "", HoldAnswer, right=Right.ADMIN)
async def lift_hold(
    collection: CollectionPath, identity_id: IdentityPath, services: ServicesDep
) -> HoldAnswer:
    """Lift the legal hold on a person. If they have expired meanwhile, they are erased."""
    found = await writing(services.gallery.holds.lift, collection, identity_id)
    return HoldAnswer(identity_id=found, hold=None)
