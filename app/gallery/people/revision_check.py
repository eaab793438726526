"""The check that people are still as the caller read them."""

from collections.abc import Sequence

from app.errors import RevisionConflict
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.tables import IdentityTable


def require_unchanged(
    collection: CollectionView, people: Sequence[IdentityTable], if_revision: int | None
) -> None:
    """Raises RevisionConflict when one of these people, or their faces, changed after a revision.

    None checks nothing.
    """
    if if_revision is None:
        return
    before = collection.revision - 1  # the transaction took the next one
    if if_revision > before:
        raise RevisionConflict(
            f"collection {collection.name!r} is at revision {before}, and {if_revision} was asked "
            "for; nothing was changed",
            revision=before,
        )
    changed = [row for row in people if row.revision > if_revision]
    if changed:
        newest = max(changed, key=lambda row: row.revision)
        raise RevisionConflict(
            f"identity {newest.id} was changed at revision {newest.revision}, after revision "
            f"{if_revision}; nothing was changed",
            revision=newest.revision,
            identity_id=newest.id,
        )
