"""What the repositories of one collection share."""

from sqlalchemy.orm import Session

from app.gallery.store.collection_view import CollectionView


class ScopedRepository:
    """SQL of what belongs to one collection, in one transaction."""

    def __init__(self, session: Session, collection: CollectionView) -> None:
        self._session = session
        self._collection = collection
