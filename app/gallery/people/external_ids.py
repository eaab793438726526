"""External ids, which are unique in a collection."""

from app.errors import ExternalIdTaken
from app.gallery.store.repositories.identity_repository import IdentityRepository


def require_free(identities: IdentityRepository, external_id: str | None) -> None:
    """Raises ExternalIdTaken."""
    if external_id is not None and identities.find_by_external_id(external_id) is not None:
        raise taken(external_id)


def taken(external_id: str | None) -> ExternalIdTaken:
    return ExternalIdTaken(f"external_id {external_id!r} is taken in this collection")
