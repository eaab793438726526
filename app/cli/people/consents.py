"""The consent that a command records of the people whom it enrolls."""

from app.gallery.people.consent_records import NewConsent
from app.runtime.threads import writing
from app.services import Services


async def give_if_missing(
    services: Services, collection: str, identity_id: str, consent: NewConsent | None
) -> None:
    """Record the consent of a person who was enrolled before, and has none that is valid.

    Nothing is done without a `consent`. Raises CollectionNotFound and IdentityNotFound.
    """
    if consent is not None:
        await writing(services.gallery.consents.give_if_missing, collection, identity_id, consent)
