"""What a collection demands of the people in it: a consent, and an end that is near enough."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.errors import ConsentRequired, RetentionTooLong
from app.gallery.people.anonymous_people import require_nameless
from app.gallery.people.consent_records import ConsentState
from app.gallery.records import NewIdentity
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.tables import IdentityTable
from app.gallery.store.transaction import Transaction


def permitted(collection: CollectionView, new: NewIdentity) -> NewIdentity:
    """Return a new person as the collection keeps them: at most for its longest retention.

    Raises ConsentRequired, RetentionTooLong, and InvalidRequest for an anonymous person with a
    name.
    """
    require_nameless(new)
    options = collection.options.people
    if options.require_consent and new.consent is None:
        raise ConsentRequired(
            f"collection {collection.name!r} enrolls people with a consent only, and none was given"
        )
    if options.longest_retention_s is None:
        return new
    if new.expires_at is None:
        return replace(new, expires_at=latest_end(options.longest_retention_s))
    require_near(collection, new.expires_at)
    return new


def require_near(collection: CollectionView, expires_at: datetime | None) -> None:
    """Raises RetentionTooLong when a person would be kept for longer than the collection may."""
    longest_s = collection.options.people.longest_retention_s
    if longest_s is None:
        return
    latest = latest_end(longest_s)
    if expires_at is None or expires_at > latest:
        asked = "no end" if expires_at is None else expires_at.isoformat(timespec="seconds")
        raise RetentionTooLong(
            f"collection {collection.name!r} keeps people for {longest_s:g} seconds at most, which "
            f"is until {latest.isoformat(timespec='seconds')}, and {asked} was asked for"
        )


def require_consent_of(transaction: Transaction, identity: IdentityTable) -> None:
    """Raises ConsentRequired when the collection demands a consent, and a person has no valid one.

    So it is for people who were enrolled before it was demanded.
    """
    collection = transaction.collection
    if not collection.options.people.require_consent:
        return
    own = transaction.consents.of([identity.number]).get(identity.number, [])
    if not any(consent.state is ConsentState.VALID for consent in own):
        raise ConsentRequired(
            f"collection {collection.name!r} enrolls people with a consent only, and identity "
            f"{identity.id} has none that is valid"
        )


def latest_end(longest_s: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=longest_s)
