"""Consents of people: on what basis they are kept."""

from app.api.audited_reads import Reads
from app.api.deps import BEFORE_COLON, CollectionPath, ConsentPath, IdentityPath, ServicesDep
from app.api.endpoint import Asked, Endpoints, Sent
from app.api.erasing import erase
from app.api.schemas.consents import (
    ConsentBody,
    ConsentPage,
    WithdrawalAnswer,
    WithdrawalQuery,
)
from app.api.schemas.parts.consent import ConsentFields
from app.api.schemas.parts.pages import PageQuery
from app.gallery.journal.actions import Action
from app.gallery.keys.rights import Right
from app.gallery.people.consent_records import Consent
from app.gallery.people.gallery_consents import Withdrawal
from app.gallery.records import Page
from app.runtime.threads import reading, writing

router = Endpoints("/collections/{collection}/identities/{identity_id}/consents", tag="identities")


@router.endpoint("GET", "", ConsentPage, right=Right.READ, reads=Reads(Action.IDENTITY_READ))
async def list_consents(
    collection: CollectionPath,
    identity_id: IdentityPath,
    services: ServicesDep,
    query: Asked[PageQuery],
) -> Page[Consent]:
    """List the consents of a person, oldest first, with those that have ended."""
    return await reading(
        services.gallery.consents.page,
        collection,
        identity_id,
        limit=query.limit,
        cursor=query.cursor,
    )


@router.endpoint("POST", "", ConsentBody, right=Right.CORRECT, status=201)
async def give_consent(
    collection: CollectionPath,
    identity_id: IdentityPath,
    body: Sent[ConsentFields],
    services: ServicesDep,
) -> Consent:
    """Record a consent of a person, or another basis on which they are kept.

    When the last valid consent of a person ends or is withdrawn, the person is erased.
    """
    return await writing(services.gallery.consents.give, collection, identity_id, body.new())


@router.endpoint(
    "POST",
    f"/{{consent_id:{BEFORE_COLON}}}:withdraw",
    WithdrawalAnswer,
    right=Right.CORRECT,
    problems=[409],
)
async def withdraw_consent(
    collection: CollectionPath,
    identity_id: IdentityPath,
    consent_id: ConsentPath,
    services: ServicesDep,
    query: Asked[WithdrawalQuery],
) -> Withdrawal:
    """Withdraw a consent. If it was the last valid one, the person is erased at once.

    The answer has the receipt of the erasure. To erase a person, `confirm_erasure` is needed.
    """
    return await erase(
        query,
        services.gallery.consents.withdraw,
        collection,
        identity_id,
        consent_id,
        confirmed=query.confirm_erasure,
    )
